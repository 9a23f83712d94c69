"""The channels that a deployment has."""

from __future__ import annotations

from functions.dispatch.channels.aws import Email, Sms
from functions.dispatch.channels.channel import Channel
from functions.dispatch.channels.console import Console
from functions.dispatch.channels.whatsapp import WhatsApp
from functions.dispatch.settings import DispatchSettings


def create_channels(settings: DispatchSettings) -> dict[str, Channel]:
    """By the names that the database and the patients know them by."""
    return {name: _create(name, settings) for name in settings.notification_channels}


def _create(name: str, settings: DispatchSettings) -> Channel:
    if name == "email" and settings.email_sender:
        return Email(sender=settings.email_sender, endpoint_url=settings.aws_endpoint_url_ses)
    if name == "sms":
        return Sms(
            sender_id=settings.sms_sender_id,
            entity_id=settings.sms_entity_id,
            template_ids=settings.sms_template_ids,
            endpoint_url=settings.aws_endpoint_url_sns,
        )
    if name == "whatsapp" and settings.whatsapp_phone_number_id and settings.whatsapp_token:
        return WhatsApp(
            base_url=settings.whatsapp_base_url,
            phone_number_id=settings.whatsapp_phone_number_id,
            token=settings.whatsapp_token.get_secret_value(),
            timeout_seconds=settings.partner_timeout_seconds,
        )
    return Console()
