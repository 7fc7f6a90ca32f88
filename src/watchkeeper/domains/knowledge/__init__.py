"""Knowledge: articles in Markdown for those whom they are meant for, their versions, whether they helped, and which of
them suit a ticket or what somebody is typing."""
