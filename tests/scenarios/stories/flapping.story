# An alert that comes and goes is marked, and opens no situation each time; when it stays on, it does.
graph
  service front depends_on service cart
at 10:00:00 firing Down service.name=cart severity=critical
at 10:00:00 expect A open: Down cart
at 10:01:00 resolved Down service.name=cart severity=critical
at 10:02:00 firing Down service.name=cart severity=critical
at 10:03:00 resolved Down service.name=cart severity=critical
at 10:04:00 firing Down service.name=cart severity=critical
at 10:04:00 expect alert Down cart: firing, calm, firings 3
at 10:05:00 resolved Down service.name=cart severity=critical
at 10:05:30 firing Down service.name=cart severity=critical
at 10:05:30 expect alert Down cart: firing, flapping, firings 4
at 10:05:40 alice resolves A
at 10:06:00 resolved Down service.name=cart severity=critical
at 10:07:00 firing Down service.name=cart severity=critical
at 10:07:00 expect 0 open situations
at 10:20:00 expect alert Down cart: firing, calm
at 10:20:00 expect B open: Down cart
at 10:20:00 expect B follows A
