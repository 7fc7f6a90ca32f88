# What fired before the window stays told: it grows no worse while it lasts, its end counts; and a window that is ended
# early or taken away lets alerts be heard at once.
graph
  service shop runs_on host web-1
at 09:59:00 firing Down service.name=shop
at 09:59:00 expect A open warning: Down shop
at 10:00:00 alice maintains W1 service shop items from 10:00 until 10:30
at 10:01:00 firing Down service.name=shop severity=critical
at 10:01:00 expect alert Down shop: firing, in maintenance, in a situation
at 10:01:00 expect A open warning
at 10:02:00 restart
at 10:02:00 expect A open warning
at 10:03:00 firing Slow service.name=shop
at 10:03:00 expect alert Slow shop: in maintenance, in no situation
at 10:04:00 resolved Down service.name=shop
at 10:10:00 expect A resolved
at 10:11:00 bob unmaintains W1
at 10:11:00 expect alert Slow shop: firing, heard, in a situation
