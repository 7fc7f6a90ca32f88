# The cause says nothing itself: it is inferred from those that need it, among many that are well.
graph
  service a depends_on service broker
  service b depends_on service broker
  service c depends_on service broker
  service d depends_on service other
  service e depends_on service other
  service f depends_on service other
  service g depends_on service third
  service h depends_on service third
  service i depends_on service third
  service j depends_on service third
at 10:00:00 firing Timeouts service.name=a severity=critical
at 10:00:02 firing Timeouts service.name=b severity=critical
at 10:00:03 firing Timeouts service.name=c severity=critical
at 10:00:10 expect A open critical: Timeouts a, Timeouts b, Timeouts c
at 10:00:10 expect A cause broker
at 10:00:10 expect A title 3 services suffer from broker
