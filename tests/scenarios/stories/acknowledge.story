# An acknowledgement holds for this firing, or until its time; of a situation, until its time, over a restart.
graph
  service front depends_on service cart
at 10:00:00 firing Down service.name=cart severity=critical
at 10:00:00 expect A open: Down cart
at 10:01:00 alice acknowledges "Down cart"
at 10:01:00 expect alert Down cart: acknowledged by alice
at 10:02:00 resolved Down service.name=cart severity=critical
at 10:03:00 firing Down service.name=cart severity=critical
at 10:03:00 expect alert Down cart: unacknowledged, firings 2
at 10:04:00 bob acknowledges "Down cart" until 10:10
at 10:09:50 expect alert Down cart: acknowledged by bob
at 10:10:10 expect alert Down cart: unacknowledged
at 10:11:00 bob acknowledges A until 10:20
at 10:11:00 expect A acknowledged critical
at 10:12:00 firing Slow service.name=front
at 10:12:00 expect A acknowledged: Down cart, Slow front
at 10:13:00 restart
at 10:19:50 expect A acknowledged
at 10:20:10 expect A open
at 10:21:00 carol acknowledges A
at 10:22:00 carol unacknowledges A
at 10:22:00 expect A open
at 10:23:00 carol assigns A to dave
at 10:23:00 expect A assignee dave
