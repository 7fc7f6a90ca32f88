# What is only informative opens nothing by itself, but is there when something worse joins.
graph
  service front depends_on service cart
at 10:00:00 firing Deployed service.name=cart severity=info
at 10:00:10 expect 0 situations
at 10:00:20 firing Slow service.name=front severity=warning
at 10:00:20 expect A open warning: Deployed cart, Slow front
at 10:30:00 firing Note service.name=elsewhere severity=info
at 10:30:10 expect 1 situation
at 10:31:00 firing Note service.name=elsewhere severity=critical
at 10:31:00 expect B open critical: Note elsewhere                    # it has become worse than info
