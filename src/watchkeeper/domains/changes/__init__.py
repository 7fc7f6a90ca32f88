"""Change enablement: what is planned to be changed, how risky that is and why, who approves it, when it runs, and what came
of it. A change in progress holds back the alerts that it is expected to cause, and is offered as a cause of what breaks."""
