# What was changed shortly before is pointed at.
graph
  service front depends_on service cart
  service cart depends_on service stock
at 10:00:00 change "Deploy 42" service.name=cart
at 10:05:00 firing HighErrors service.name=cart severity=critical
at 10:05:02 firing HighErrors service.name=front severity=critical
at 10:05:10 expect A open: HighErrors cart, HighErrors front
at 10:05:10 expect A cause cart
at 10:05:10 expect A changed
