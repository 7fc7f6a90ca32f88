# A database goes away: those that need it suffer, and it is named although it speaks last.
graph
  service front depends_on service cart
  service front depends_on service checkout
  service cart depends_on service postgres
  service checkout depends_on service postgres
  service postgres runs_on host db-1
  service blog runs_on host web-9
at 10:00:00 firing HighLatency service.name=cart severity=warning
at 10:00:00 expect A open warning: HighLatency cart
at 10:00:00 expect A title HighLatency on cart
at 10:00:10 firing HighErrors service.name=checkout severity=critical
at 10:00:12 firing HighErrors service.name=front severity=critical
at 10:00:20 firing Down service.name=postgres severity=critical
at 10:00:20 firing DiskFull service.name=blog severity=error     # somewhere else, at the same instant
at 10:00:30 expect A open critical: HighLatency cart, HighErrors checkout, HighErrors front, Down postgres
at 10:00:30 expect B open error: DiskFull blog
at 10:00:30 expect A cause postgres
at 10:00:30 expect A title 3 services suffer from postgres on db-1
at 10:00:30 expect A because cart, which has alerts here, needs postgres.
at 10:00:30 expect 2 situations
at 10:10:00 resolved HighErrors service.name=checkout severity=critical
at 10:10:00 resolved HighErrors service.name=front severity=critical
at 10:10:00 resolved Down service.name=postgres severity=critical
at 10:10:10 expect A open warning
at 10:10:20 resolved HighLatency service.name=cart
at 10:14:00 expect A open
at 10:16:00 expect A resolved
at 10:16:00 expect B open
