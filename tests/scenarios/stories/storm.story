# A thousand different things at once, on nothing that is known to be related, stay a thousand; their ends count.
graph
  service front depends_on service cart
at 10:00:00 firing Broken service.name=s%d severity=error many=1000
at 10:00:00 expect 1000 open situations
at 10:01:00 resolved Broken service.name=s%d severity=error many=1000
at 10:01:00 expect alert Broken s999: resolved
at 10:08:00 expect 0 open situations
