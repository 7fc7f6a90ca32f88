# A resolved situation is never reopened: what comes after it opens one that follows it.
graph
  service front depends_on service cart
at 10:00:00 firing Down service.name=cart severity=critical
at 10:00:00 expect A open: Down cart
at 10:01:00 resolved Down service.name=cart severity=critical
at 10:03:00 firing Down service.name=cart severity=critical      # within five quiet minutes: the same
at 10:03:00 expect A open: Down cart
at 10:04:00 resolved Down service.name=cart severity=critical
at 10:10:00 expect A resolved
at 10:11:00 firing HighLatency service.name=front severity=error  # near it, after it
at 10:11:00 expect B open: HighLatency front
at 10:11:00 expect B follows A
at 10:12:00 firing Down service.name=cart severity=critical
at 10:12:00 expect B open critical: HighLatency front, Down cart
at 10:12:00 expect A resolved
at 11:00:00 alice resolves B
at 11:01:00 resolved Down service.name=cart severity=critical
at 11:02:00 firing Down service.name=cart severity=critical
at 11:02:00 expect C open: Down cart
at 11:02:00 expect C follows B
at 11:02:00 expect 1 open situation
