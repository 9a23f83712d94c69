"""E-mail through SES and text messages through SNS."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from functions.dispatch.channels.channel import Sent
from functions.dispatch.message import Message

_REFUSED_ADDRESS = frozenset({"BadRequestException", "InvalidParameter", "InvalidParameterValue", "OptedOut"})
"""What SES and SNS say when it is the address that they refuse; anything else may be different next time."""


class Email:
    """Plain text: what a preview shows comes first and is harmless, the details follow below."""

    def __init__(self, *, sender: str, endpoint_url: str | None = None) -> None:
        self._sender = sender
        self._endpoint_url = endpoint_url

    async def send(self, address: str, message: Message, *, reference: str) -> Sent:
        text = "\n\n".join(filter(None, (message.line, message.details, message.footer)))
        return await _call(
            "sesv2",
            self._endpoint_url,
            "send_email",
            "MessageId",
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [address]},
            Content={
                "Simple": {
                    "Subject": {"Data": message.title, "Charset": "UTF-8"},
                    "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
                }
            },
            EmailTags=[{"Name": "notification", "Value": reference}],
        )


class Sms:
    """The line alone: a text message lies open on a locked screen. India delivers only sentences registered
    beforehand (DLT), by their template's id.
    """

    def __init__(
        self,
        *,
        sender_id: str | None,
        entity_id: str | None,
        template_ids: Mapping[str, str],
        endpoint_url: str | None = None,
    ) -> None:
        self._sender_id = sender_id
        self._entity_id = entity_id
        self._template_ids = template_ids
        self._endpoint_url = endpoint_url

    async def send(self, address: str, message: Message, *, reference: str) -> Sent:  # noqa: ARG002
        attributes = {
            "AWS.SNS.SMS.SMSType": "Transactional",
            "AWS.SNS.SMS.SenderID": self._sender_id,
            "AWS.MM.SMS.EntityId": self._entity_id,
            "AWS.MM.SMS.TemplateId": self._template_ids.get(f"{message.template}.{message.language}"),
        }
        return await _call(
            "sns",
            self._endpoint_url,
            "publish",
            "MessageId",
            PhoneNumber=address,
            Message=message.line,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value}
                for name, value in attributes.items()
                if value
            },
        )


async def _call(
    service: str, endpoint_url: str | None, operation: str, id_member: str, **arguments: Any
) -> Sent:
    from botocore.exceptions import ClientError  # with the client: only who sends needs it

    try:
        answer = await asyncio.to_thread(getattr(_client(service, endpoint_url), operation), **arguments)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        return Sent(accepted=False, refused=code in _REFUSED_ADDRESS, error=code)
    return Sent(accepted=True, provider_id=answer[id_member])


@lru_cache(maxsize=4)
def _client(service: str, endpoint_url: str | None) -> Any:
    import boto3
    from botocore.config import Config

    # The outbox tries again; a thread that waits longer than a delivery may take would be in the way.
    patience = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=endpoint_url, config=patience)
