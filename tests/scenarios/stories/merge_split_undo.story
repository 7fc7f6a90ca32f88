# What people merge and split stands, says who did it, and can be taken back, also after a restart.
graph
  service front depends_on service cart
  service mail depends_on service queue
at 10:00:00 firing Down service.name=cart severity=critical
at 10:00:10 firing Slow service.name=front
at 10:00:20 firing Full service.name=queue severity=error
at 10:00:30 expect A open: Down cart, Slow front
at 10:00:30 expect B open: Full queue
at 10:01:00 alice merges B into A
at 10:01:00 expect A open critical: Down cart, Slow front, Full queue
at 10:01:00 expect A because alice merged it into this situation.
at 10:01:00 expect B resolved
at 10:01:00 expect B merged A
at 10:02:00 firing Slow service.name=mail                        # would have gone to B
at 10:02:00 expect A open: Down cart, Slow front, Full queue, Slow mail
at 10:03:00 restart forgetful
at 10:04:00 alice undoes merges-B of A
at 10:04:00 expect A open: Down cart, Slow front, Slow mail
at 10:04:00 expect B open: Full queue
at 10:04:00 expect B merged nothing
at 10:05:00 bob splits "Slow front" from A
at 10:05:00 expect A open: Down cart, Slow mail
at 10:05:00 expect C open: Slow front
at 10:05:00 expect C because bob split it from
at 10:06:00 resolved Slow service.name=front
at 10:07:00 firing Slow service.name=front                       # comes back where bob put it
at 10:07:00 expect C open: Slow front
at 10:08:00 restart
at 10:09:00 bob undoes "splits-Slow front" of A
at 10:09:00 expect A open: Down cart, Slow mail, Slow front
at 10:09:00 expect C merged A
