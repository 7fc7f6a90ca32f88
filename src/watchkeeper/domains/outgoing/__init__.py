"""Messages to the outside: webhooks signed as Standard Webhooks says, and e-mail. Every domain that tells somebody
something sends it from here, as a handler of the outbox.

`webhooks.post`, `webhooks.new_secret`, `webhooks.message_id`; `mail.send`, `mail.compose`; `addresses.checked`.

Over HTTP nobody can do something exactly once: a kill may come after the receiver has it and before we have
noted that. Then it is sent again under the same `webhook-id`, by which a receiver tells that it had it. A message
that was noted as delivered is not sent again, unless somebody asks for it.
"""
