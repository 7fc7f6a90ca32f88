# What a window names, and what runs on it, is recorded; nobody hears of it until the window is over.
graph
  service shop runs_on host web-1
  service cart depends_on service shop
at 10:00:00 alice maintains W1 host web-1 carried from 10:00 until 10:30
at 10:01:00 firing Down hostname=web-1 severity=critical
at 10:01:00 firing Down service.name=shop
at 10:01:00 firing Slow service.name=cart
at 10:01:00 expect alert Down web-1: firing, in maintenance, in no situation
at 10:01:00 expect alert Down shop: firing, in maintenance, in no situation
at 10:01:00 expect alert Slow cart: firing, heard
at 10:01:00 expect A open warning: Slow cart
at 10:05:00 resolved Down service.name=shop
at 10:05:00 expect alert Down shop: resolved, in no situation
at 10:06:00 restart forgetful
at 10:06:00 expect alert Down web-1: firing, in maintenance, in no situation
at 10:06:00 expect A open warning
at 10:30:00 expect alert Down web-1: firing, heard, in a situation
at 10:30:00 expect A open critical: Slow cart, Down web-1
at 10:30:00 expect A because held back until the maintenance “W1” ended
