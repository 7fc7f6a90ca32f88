# News out of order: an old resolve does not end a new firing, an old firing does not undo a resolve.
graph
  service front depends_on service cart
at 10:00:00 firing Down service.name=cart
at 10:05:00 resolved Down service.name=cart ends=10:05
at 10:06:00 firing Down service.name=cart starts=10:06
at 10:06:10 resolved Down service.name=cart starts=10:00 ends=10:05  # told again, late
at 10:06:10 expect alert Down cart: firing, firings 2
at 10:08:00 resolved Down service.name=cart starts=10:06 ends=10:08
at 10:08:05 firing Down service.name=cart starts=10:06               # overtaken by its own end
at 10:08:05 expect alert Down cart: resolved, firings 2
at 10:09:00 resolved Gone service.name=front                         # of one we never heard fire
at 10:09:00 expect alert Gone front: resolved, in no situation
at 10:20:00 expect 0 open situations
