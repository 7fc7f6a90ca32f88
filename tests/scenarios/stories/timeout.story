# An end in the future is a time-out: told again in time it moves on, else the alert ends by itself.
graph
  service front depends_on service cart
at 10:00:00 firing Down service.name=cart ends=10:04
at 10:03:00 firing Down service.name=cart starts=10:00 ends=10:07
at 10:05:00 expect alert Down cart: firing
at 10:07:10 expect alert Down cart: resolved, count 2
at 10:08:00 firing Down service.name=cart starts=10:00 ends=10:12    # it was firing all the time
at 10:08:00 expect alert Down cart: firing, firings 2
at 10:11:50 restart
at 10:12:30 expect alert Down cart: firing                           # after a start senders get a minute
at 10:13:10 expect alert Down cart: resolved
