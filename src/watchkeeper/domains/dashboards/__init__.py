"""Dashboards: pictures of metrics, spans, log lines, alerts and health, put together by people or as YAML.

`definition` says what one consists of, `answering` gives what a panel shows, `choices` what a variable can be;
`bringing` makes those in ready/, which are read and copied, not changed.
"""
