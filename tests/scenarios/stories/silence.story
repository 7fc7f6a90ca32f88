# A silenced alert is recorded and its end counts, but it opens nothing; when the silence ends it is heard.
graph
  service front depends_on service cart
at 10:00:00 alice silences S1 service.name=~"car.*" severity!=info until 10:30
at 10:01:00 firing Down service.name=cart
at 10:01:00 firing Slow service.name=front
at 10:01:00 expect alert Down cart: firing, silenced, in no situation
at 10:01:00 expect alert Slow front: firing, heard, in a situation
at 10:01:00 expect A open: Slow front
at 10:05:00 resolved Down service.name=cart
at 10:05:00 expect alert Down cart: resolved, silenced, in no situation
at 10:06:00 firing Down service.name=cart
at 10:06:00 expect alert Down cart: firing, silenced, firings 2
at 10:30:10 expect alert Down cart: firing, heard, in a situation
at 10:30:10 expect A open: Slow front, Down cart
at 10:31:00 alice silences S2 alertname=Down until 11:30
at 10:31:00 expect alert Down cart: silenced
at 10:32:00 restart forgetful
at 10:32:00 expect alert Down cart: silenced
at 10:33:00 bob unsilences S2
at 10:33:00 expect alert Down cart: heard
at 10:33:00 expect A open: Slow front, Down cart
