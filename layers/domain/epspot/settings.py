"""What the environment says, read once."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class MissingSettings(RuntimeError):
    """The environment lacks something; the text names every key."""


class WrongSetting(RuntimeError):
    """A setting says what nothing can be made of; the text names the key, and what it may be."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Names of the things that the template made."""

    region: str
    live_table: str
    core_table: str
    bus_name: str
    refused_queue_url: str
    relay_aside_url: str
    topic_prefix: str
    user_pool_id: str
    user_pool_client_id: str
    journal_stream: str
    live_role_arn: str
    """What browsers that listen are lent a part of."""
    endpoint_url: str | None = None
    """Only in an emulated account."""
    prices_source: str = "none"
    """``none``, ``nordpool``, or ``file:<folder>``."""
    weather_source: str = "none"
    """``none``, ``met:<user agent>``, or ``file:<folder>``."""
    sign_in_domain: str = ""
    """The user pool's own pages, where people begin who sign in through an owner's provider."""
    mail_from: str = ""
    """Who sends mail; nobody does if it is empty."""
    party_id: str = "EPS"
    """Of the network, under which its charging points are published: the country's registry gives it out."""
    app_url: str = ""
    """Where the users' app is, without a slash at its end; printed codes lead there."""
    deliveries_url: str = ""
    deliveries_dlq_url: str = ""
    webhooks_allow_loopback: bool = False
    """Whether messages may go to this very machine: only in an emulated account."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the settings. Raises MissingSettings that names every missing key."""
        keys = {
            "region": "AWS_REGION",
            "live_table": "LIVE_TABLE",
            "core_table": "CORE_TABLE",
            "bus_name": "BUS_NAME",
            "refused_queue_url": "REFUSED_QUEUE_URL",
            "relay_aside_url": "RELAY_ASIDE_URL",
            "topic_prefix": "TOPIC_PREFIX",
            "user_pool_id": "USER_POOL_ID",
            "user_pool_client_id": "USER_POOL_CLIENT_ID",
            "journal_stream": "JOURNAL_STREAM",
            "live_role_arn": "LIVE_ROLE_ARN",
        }
        if missing := [key for key in keys.values() if not environment.get(key)]:
            raise MissingSettings(f"the environment lacks {', '.join(missing)}")
        return cls(
            **{name: environment[key] for name, key in keys.items()},
            endpoint_url=environment.get("AWS_ENDPOINT_URL") or None,
            prices_source=environment.get("PRICES_SOURCE") or "none",
            weather_source=environment.get("WEATHER_SOURCE") or "none",
            sign_in_domain=environment.get("USER_POOL_DOMAIN") or "",
            mail_from=environment.get("MAIL_FROM") or "",
            party_id=environment.get("PARTY_ID") or "EPS",
            app_url=(environment.get("APP_URL") or "").rstrip("/"),
            deliveries_url=environment.get("DELIVERIES_URL") or "",
            deliveries_dlq_url=environment.get("DELIVERIES_DLQ_URL") or "",
            webhooks_allow_loopback=environment.get("WEBHOOKS_ALLOW_LOOPBACK") == "true",
        )
