"""The API of Amazon Web Services, by boto3 of the extra `[aws]`: `address` holds the regions, separated by commas;
`account` and `secret` an access key that may read (the managed policy ReadOnlyAccess is enough), or nothing, and then
boto3 looks where it always does: environment, profile, role of the machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchkeeper.domains.inventory.asking import Access, Unreadable, asks, library
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.importers.aws import described

#: what is asked in each region: service, operation
ASKED = (
    ("ec2", "describe_vpcs"), ("ec2", "describe_subnets"), ("ec2", "describe_instances"), ("rds", "describe_db_instances"),
    ("elbv2", "describe_load_balancers"), ("lambda", "list_functions"),
)  # fmt: skip


@asks("aws")
def ask(access: Access) -> Iterator[Described]:
    """The account's resources in these regions. Raises Unreadable."""
    boto3: Any = library("boto3", "aws")
    errors: Any = library("botocore.exceptions", "aws")
    regions = [r.strip() for r in access.address.split(",") if r.strip()]
    if not regions:
        raise Unreadable("no region is named, such as eu-central-1")
    keys = {"aws_access_key_id": access.account or None, "aws_secret_access_key": access.secret or None}
    answers: list[dict[str, Any]] = []
    try:
        session = boto3.Session(**keys)
        answers.append(session.client("sts", region_name=regions[0]).get_caller_identity())
        for region in regions:
            for service, operation in ASKED:
                client = session.client(service, region_name=region)
                answers += client.get_paginator(operation).paginate()
        answers.append(session.client("s3", region_name=regions[0]).list_buckets())
    except (errors.BotoCoreError, errors.ClientError) as error:
        raise Unreadable(f"AWS: {error}") from error
    return described([_plain(a) for a in answers])


def _plain(value: Any) -> Any:
    """Times as text, as the command line prints them."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
