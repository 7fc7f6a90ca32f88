# Two shops share a core switch. Trouble in both at once stays two situations: the switch itself is well.
graph
  host r1 depends_on network core
  host r2 depends_on network core
  host r3 depends_on network core
  service a1 runs_on host r1
  service b1 runs_on host r1
  service a1 depends_on service b1
  service a2 runs_on host r2
  service b2 runs_on host r2
  service a2 depends_on service b2
  service a3 runs_on host r3
  service b3 runs_on host r3
  service a3 depends_on service b3
at 10:00:00 firing Slow service.name=a1
at 10:00:01 firing Slow service.name=a2
at 10:00:02 firing Slow service.name=b1
at 10:00:03 firing Slow service.name=b2
at 10:00:04 firing Slow hostname=r1
at 10:00:05 firing Slow hostname=r2
at 10:00:10 expect A open: Slow a1, Slow b1, Slow r1
at 10:00:10 expect B open: Slow a2, Slow b2, Slow r2
at 10:00:10 expect 2 situations
