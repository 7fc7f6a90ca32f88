"""Amazon Web Services: what its API answers, as `aws … --output json` prints it: instances, networks, load balancers,
databases, buckets and functions. Answers lie in a file one after the other, in a list or an object; each says by its
first key (`Reservations`, `DBInstances` …) what it is.

Networks become VRFs and their subnets prefixes within them, since every network may use the same addresses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from watchkeeper.domains.inventory.describing import Described, Identifier, Related, RelationKind
from watchkeeper.domains.inventory.importers import importer
from watchkeeper.domains.inventory.importers.documents import at, json_documents, rows, said, word
from watchkeeper.model.errors import Malformed
from watchkeeper.model.hostnames import host_identifiers

Answer = dict[str, Any]
PROVIDER = "Amazon Web Services"
_STATES = {
    "pending": "staged", "running": "active", "available": "active", "active": "active", "stopped": "staged",
    "stopping": "staged", "shutting-down": "decommissioning", "terminated": "disposed", "failed": "failed",
    "impaired": "failed", "deleting": "decommissioning",
}  # fmt: skip


@importer("aws", "Amazon Web Services (answers of its API, JSON)", type="aws")
def read(data: bytes) -> Iterator[Described]:
    """The resources of a file. Raises Malformed when no answer is among its documents."""
    return described([a for d in json_documents(data) for a in _answers(d)])


def _answers(document: Any) -> Iterator[Answer]:
    if isinstance(document, list):
        for part in document:
            yield from _answers(part)
    elif isinstance(document, dict) and (document.keys() & _READERS.keys() or "Account" in document):
        yield document
    elif isinstance(document, dict):
        for part in document.values():
            yield from _answers(part)


def described(answers: list[Answer]) -> Iterator[Described]:
    """Answers as described things, the account first: whose it is says `sts get-caller-identity`, or the resources.
    Raises Malformed when there is nothing, or nothing says which account it is of."""
    if not answers:
        raise Malformed(f"the file has no answer of AWS that is known: {', '.join(_READERS)}")
    number = next((n for a in answers for n in _owners(a)), "")
    if not number:
        raise Malformed(
            "nothing says which account this is of: add the answer of `aws sts get-caller-identity`"
        )
    account = f"account/{number}"
    yield Described("cloud-accounts", account, f"AWS {number}", {"provider": PROVIDER, "account_id": number})
    for answer in answers:
        for name, reader in _READERS.items():
            for row in rows(answer, name):
                yield from reader(row, account)


def _owners(answer: Answer) -> Iterator[str]:
    if word(answer, "Account"):
        yield word(answer, "Account")
    for name in _READERS:
        for row in rows(answer, name):
            arn = next(
                (word(row, n) for n in ("DBInstanceArn", "LoadBalancerArn", "FunctionArn") if word(row, n)),
                "",
            )
            found = word(row, "OwnerId") or (arn.split(":")[4] if arn.count(":") > 4 else "")
            if found:
                yield found


def _tags(row: Answer, name: str = "Tags") -> dict[str, str]:
    return {word(t, "Key"): word(t, "Value") for t in rows(row, name)}


def _resource(
    account: str, kind: str, key: str, name: str, row: Answer, values: dict[str, Any],
    names: tuple[Identifier, ...] = (), relations: tuple[Related, ...] = (),
) -> Described:  # fmt: skip
    values = {"type": kind, "resource_id": key, "status": "active"} | said(**values)
    return Described("cloud-resources", f"{kind}/{key}", name, values | said(tags=_tags(row)), {"account": account},
                     names, relations)  # fmt: skip


def _reservation(row: Answer, account: str) -> Iterator[Described]:
    for i in rows(row, "Instances"):
        key, tags = word(i, "InstanceId"), _tags(i)
        zone = word(i, "Placement", "AvailabilityZone")
        names = dict.fromkeys(host_identifiers(word(i, "PrivateDnsName")))
        names |= dict.fromkeys(host_identifiers(word(i, "PublicDnsName")))
        needs = [f"vpc/{n}" for n in [word(i, "VpcId")] if n]
        values = {
            "region": zone.rstrip("abcdefghijk"), "status": _STATES.get(word(i, "State", "Name")), "zone": zone,
            "size": word(i, "InstanceType"), "image": word(i, "ImageId"), "private_address": word(i, "PrivateIpAddress"),
            "public_address": word(i, "PublicIpAddress"), "operating_system": word(i, "PlatformDetails"),
            "launched": word(i, "LaunchTime"),
        }  # fmt: skip
        yield _resource(account, "ec2:instance", key, tags.get("Name") or key, i, values, tuple(names),
                        tuple(Related(RelationKind.MEMBER_OF, n) for n in needs))  # fmt: skip


def _vpc(row: Answer, account: str) -> Iterator[Described]:
    key = word(row, "VpcId")
    yield Described("vrfs", f"vpc/{key}", _tags(row).get("Name") or key, said(vpc=key, tags=_tags(row)),
                    identifiers=(Identifier("cloud.id", key),),
                    relations=(Related(RelationKind.CONTAINS, account, inverse=True),))  # fmt: skip
    for block in rows(row, "CidrBlockAssociationSet"):
        if prefix := word(block, "CidrBlock"):
            yield Described("prefixes", f"vpc/{key}/{prefix}", "", {"prefix": prefix, "status": "container"},
                            {"vrf": f"vpc/{key}"})  # fmt: skip


def _subnet(row: Answer, _: str) -> Iterator[Described]:
    key, network = word(row, "SubnetId"), word(row, "VpcId")
    values = said(
        prefix=word(row, "CidrBlock"), subnet=key, zone=word(row, "AvailabilityZone"), tags=_tags(row)
    )
    yield Described("prefixes", f"subnet/{key}", "", values, {"vrf": f"vpc/{network}"} if network else {})


def _database(row: Answer, account: str) -> Iterator[Described]:
    key = word(row, "DBInstanceIdentifier")
    names = dict.fromkeys(host_identifiers(word(row, "Endpoint", "Address")))
    names |= {
        Identifier("cloud.id", n.lower()): None
        for n in (word(row, "DbiResourceId"), word(row, "DBInstanceArn"))
        if n
    }
    values = said(
        engine=word(row, "Engine"), version=word(row, "EngineVersion"), size_gib=row.get("AllocatedStorage"),
        backed_up=bool(row.get("BackupRetentionPeriod")), size=word(row, "DBInstanceClass"),
        zone=word(row, "AvailabilityZone"), standby=row.get("MultiAZ"), tags=_tags(row, "TagList"),
        endpoint=word(row, "Endpoint", "Address"),
    )  # fmt: skip
    yield Described("databases", f"rds/{word(row, 'DbiResourceId') or key}", key, values, identifiers=tuple(names),
                    relations=(Related(RelationKind.CONTAINS, account, inverse=True),))  # fmt: skip


def _balancer(row: Answer, account: str) -> Iterator[Described]:
    kind = word(row, "Type") or "application"
    values = {"region": "".join(word(row, "LoadBalancerArn").split(":")[3:4]), "scheme": word(row, "Scheme"),
                  "status": _STATES.get(word(row, "State", "Code"))}  # fmt: skip
    yield _resource(account, f"elasticloadbalancing:{kind}", word(row, "LoadBalancerArn"), word(row, "LoadBalancerName"),
                    row, values, host_identifiers(word(row, "DNSName")))  # fmt: skip


def _bucket(row: Answer, account: str) -> Iterator[Described]:
    name = word(row, "Name")
    yield _resource(
        account, "s3:bucket", f"arn:aws:s3:::{name}", name, row, {"region": word(row, "BucketRegion")}
    )


def _function(row: Answer, account: str) -> Iterator[Described]:
    arn = word(row, "FunctionArn")
    values = {"region": arn.split(":")[3] if arn.count(":") > 3 else "", "runtime": word(row, "Runtime"),
                  "memory_mb": at(row, "MemorySize")}  # fmt: skip
    yield _resource(account, "lambda:function", arn, word(row, "FunctionName"), row, values)


_READERS: dict[str, Callable[[Answer, str], Iterator[Described]]] = {
    "Vpcs": _vpc, "Subnets": _subnet, "Reservations": _reservation, "DBInstances": _database,
    "LoadBalancers": _balancer, "Buckets": _bucket, "Functions": _function,
}  # fmt: skip
