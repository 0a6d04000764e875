"""The only place that builds adapters. A handler asks for what its use cases need; tests build the same from fakes."""

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session
from pynamodb.connection import Connection

from epspot.adapters.clock import SystemClock
from epspot.adapters.cognito import CognitoIdentity, Pool
from epspot.adapters.cognito_providers import CognitoProviders
from epspot.adapters.deliveries import SqsDeliveries
from epspot.adapters.dynamodb.items import open_tables
from epspot.adapters.dynamodb.lives import DynamoLives, notices_of
from epspot.adapters.dynamodb.registry import DynamoRegistry, DynamoThrottle
from epspot.adapters.dynamodb.sessions import DynamoSessions, DynamoVehicles
from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.adapters.ids import RandomIds
from epspot.adapters.iot import ContractInbound, IotCommands
from epspot.adapters.journal import FirehoseJournal
from epspot.adapters.live import IotLive, SignedAddresses
from epspot.adapters.posting import UrllibPosting
from epspot.adapters.prices import FilePrices, NoPrices, NordpoolPrices
from epspot.adapters.queues import EventBridgeBus, SqsRefused
from epspot.adapters.ses import SesMail
from epspot.adapters.weather import FileWeather, MetWeather, NoWeather
from epspot.ports import Prices, Weather
from epspot.services.advance import Controller
from epspot.services.ask_owner import Asking
from epspot.services.authorize import Gate
from epspot.services.change_webhooks import Hooking
from epspot.services.changing import Changing
from epspot.services.claim_bridge import Claiming
from epspot.services.connect_provider import Connecting
from epspot.services.delete_person import Forgetting
from epspot.services.describe_person import Describing
from epspot.services.door import Door
from epspot.services.edit_document import Configuring
from epspot.services.export_person import Exporting
from epspot.services.follow_session import Following
from epspot.services.give_grant import Granting
from epspot.services.issue_token import Issuing
from epspot.services.keep_tariffs import Tariffing
from epspot.services.listen_live import Listening
from epspot.services.note_session import Noting
from epspot.services.prove_address import Proving
from epspot.services.refresh_outlook import Outlooks
from epspot.services.register_owner import Owning
from epspot.services.show_token import Doorkeeping
from epspot.services.start_session import Starting
from epspot.services.take_message import Intake
from epspot.services.tell_prices import Pricing
from epspot.services.tell_webhooks import Telling
from epspot.services.tick_sites import Ticking
from epspot.settings import Settings, WrongSetting
from iot.contract import Topics

_CLIENT = botocore.config.Config(connect_timeout=1, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
# The user pool in turn asks functions/identity, which may have to start.
_PATIENTLY = botocore.config.Config(
    connect_timeout=1, read_timeout=12, retries={"total_max_attempts": 2, "mode": "standard"}
)
_BRIEFLY = botocore.config.Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})

__all__ = ["World", "notices_of", "world"]


class World:
    """Every port with its adapter, each built when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = botocore.session.get_session()

    def _client(self, service: str, **options: Any) -> Any:
        options = {"config": _CLIENT} | options
        return self._session.create_client(service, region_name=self._settings.region, **options)

    @cached_property
    def clock(self) -> SystemClock:
        """The time."""
        return SystemClock()

    @cached_property
    def _tables(self) -> Connection:
        s = self._settings
        return open_tables(s.live_table, s.core_table, s.region)

    @cached_property
    def lives(self) -> DynamoLives:
        """The state of sites."""
        return DynamoLives(self._tables)

    @cached_property
    def sites(self) -> DynamoSites:
        """Which site things belong to."""
        _ = self._tables
        return DynamoSites()

    @cached_property
    def sessions(self) -> DynamoSessions:
        """What users have had."""
        _ = self._tables
        return DynamoSessions()

    @cached_property
    def vehicles(self) -> DynamoVehicles:
        """What is known of users' vehicles."""
        _ = self._tables
        return DynamoVehicles()

    @cached_property
    def registry(self) -> DynamoRegistry:
        """What is written down of owners and of those who deal with them."""
        return DynamoRegistry(self._tables)

    @cached_property
    def throttle(self) -> DynamoThrottle:
        """Who counts how often something is tried."""
        _ = self._tables
        return DynamoThrottle()

    @cached_property
    def ids(self) -> RandomIds:
        """Who thinks up names that nobody guesses."""
        return RandomIds()

    @cached_property
    def commands(self) -> IotCommands:
        """The way to the hardware."""
        return IotCommands(self._iot_data(), self._topics)

    @cached_property
    def live_topics(self) -> IotLive:
        """The way to those who watch: never waited for for long."""
        return IotLive(self._iot_data(config=_BRIEFLY), self._topics)

    @cached_property
    def live_addresses(self) -> SignedAddresses:
        """Who lets clients listen."""
        s = self._settings
        return SignedAddresses(
            self._client("sts"),
            s.live_role_arn,
            host=lambda: self._iot_host,
            region=s.region,
            topics=self._topics,
            ids=self.ids,
        )

    @cached_property
    def _topics(self) -> Topics:
        return Topics(self._settings.topic_prefix)

    @cached_property
    def _iot_host(self) -> str:
        """The account's own data endpoint, which must be asked for."""
        return str(self._client("iot").describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"])

    def _iot_data(self, **options: Any) -> Any:
        if self._settings.endpoint_url is None:
            options["endpoint_url"] = f"https://{self._iot_host}"
        return self._client("iot-data", **options)

    @cached_property
    def refused(self) -> SqsRefused:
        """Where unusable messages go."""
        return SqsRefused(self._client("sqs"), self._settings.refused_queue_url)

    @cached_property
    def aside(self) -> SqsRefused:
        """Where unusable stream records go."""
        return SqsRefused(self._client("sqs"), self._settings.relay_aside_url)

    @cached_property
    def bus(self) -> EventBridgeBus:
        """Who tells the rest of the house."""
        return EventBridgeBus(self._client("events"), self._settings.bus_name)

    @cached_property
    def journal(self) -> FirehoseJournal:
        """What is kept for replay: never waited for for long."""
        return FirehoseJournal(self._client("firehose", config=_BRIEFLY), self._settings.journal_stream)

    @cached_property
    def identity(self) -> CognitoIdentity:
        """Who knows the users."""
        s = self._settings
        pool = Pool.of(s.user_pool_id, s.region, s.endpoint_url)
        return CognitoIdentity(self._client("cognito-idp", config=_PATIENTLY), s.user_pool_client_id, pool)

    @cached_property
    def providers(self) -> CognitoProviders:
        """Who lets people in through an owner's own identity provider."""
        s = self._settings
        pages = s.endpoint_url or f"https://{s.sign_in_domain}.auth.{s.region}.amazoncognito.com"
        return CognitoProviders(self._client("cognito-idp", config=_PATIENTLY), s.user_pool_id, pages, s.app_url)

    @cached_property
    def mail(self) -> SesMail:
        """Who carries mail."""
        return SesMail(self._client("ses"), self._settings.mail_from)

    @cached_property
    def prices(self) -> Prices:
        """What electricity costs. Raises WrongSetting."""
        return _prices_from(self._settings.prices_source)

    @cached_property
    def weather(self) -> Weather:
        """How cold it will be. Raises WrongSetting."""
        return _weather_from(self._settings.weather_source)

    # -------------------------------------------------------------- what use cases take

    @cached_property
    def controller(self) -> Controller:
        """For events at sites."""
        return Controller(self.lives, self.commands, self.journal, self.live_topics, self.registry)

    @cached_property
    def intake(self) -> Intake:
        """For messages from bridges."""
        return Intake(self.controller, ContractInbound(), self.sites, self.refused, self.clock)

    @cached_property
    def ticking(self) -> Ticking:
        """For the clock."""
        return Ticking(self.controller, self.clock)

    @cached_property
    def outlooks(self) -> Outlooks:
        """For looking ahead."""
        return Outlooks(self.controller, self.sites, self.prices, self.weather, self.clock)

    @cached_property
    def starting(self) -> Starting:
        """For starting sessions."""
        return Starting(self.controller, self.sessions, self.sites, self.clock, self.vehicles)

    @cached_property
    def noting(self) -> Noting:
        """For the history of sessions."""
        return Noting(self.sessions, self.vehicles)

    @cached_property
    def following(self) -> Following:
        """For following and stopping sessions."""
        return Following(self.controller, self.sessions, self.clock)

    @cached_property
    def posting(self) -> UrllibPosting:
        """The way to other systems on the internet."""
        return UrllibPosting(allow_loopback=self._settings.webhooks_allow_loopback)

    @cached_property
    def deliveries(self) -> SqsDeliveries:
        """Who reminds of messages to webhooks."""
        s = self._settings
        return SqsDeliveries(self._client("sqs"), s.deliveries_url, s.deliveries_dlq_url)

    @cached_property
    def hooking(self) -> Hooking:
        """For keeping webhooks, and sending to them."""
        return Hooking(self.changing, self.posting, self.deliveries, self.throttle)

    @cached_property
    def telling(self) -> Telling:
        """For telling webhooks what has happened."""
        return Telling(self.hooking, self.lives, self.sessions)

    @cached_property
    def asking(self) -> Asking:
        """For asking owners before sessions start."""
        return Asking(self.gate, self.sessions, self.posting, self.ids)

    @cached_property
    def listening(self) -> Listening:
        """For listening to what happens at sites."""
        return Listening(self.controller, self.gate, self.sessions, self.live_addresses, self.throttle, self.clock)

    @cached_property
    def gate(self) -> Gate:
        """For finding out who may do what."""
        return Gate(self.registry, self.lives, self.sites, self.clock)

    @cached_property
    def changing(self) -> Changing:
        """For changing the registry."""
        return Changing(self.registry, self.ids, self.clock)

    @cached_property
    def door(self) -> Door:
        """For people who sign up and in."""
        return Door(self.identity, self.registry, self.throttle, self.mail, self.ids, self.clock)

    @cached_property
    def connecting(self) -> Connecting:
        """For owners with an identity provider of their own."""
        return Connecting(self.changing, self.providers)

    @cached_property
    def proving(self) -> Proving:
        """For the user pool's questions."""
        return Proving(self.mail, self.ids, self.clock)

    @cached_property
    def describing(self) -> Describing:
        """For what people say of themselves."""
        return Describing(self.registry, self.identity, self.ids)

    @cached_property
    def exporting(self) -> Exporting:
        """For people who want to have all that is kept of them."""
        return Exporting(self.describing, self.gate, self.sessions, self.vehicles)

    @cached_property
    def forgetting(self) -> Forgetting:
        """For people who leave."""
        return Forgetting(self.describing, self.granting, self.lives, self.sessions, self.vehicles)

    @cached_property
    def issuing(self) -> Issuing:
        """For giving tokens to other systems."""
        return Issuing(self.changing, self.gate)

    @cached_property
    def doorkeeping(self) -> Doorkeeping:
        """For letting other systems in."""
        return Doorkeeping(self.registry, self.throttle, self.clock)

    @cached_property
    def owning(self) -> Owning:
        """For making owners."""
        return Owning(self.changing, self.throttle)

    @cached_property
    def configuring(self) -> Configuring:
        """For making and changing sites."""
        return Configuring(self.controller, self.changing)

    @cached_property
    def claiming(self) -> Claiming:
        """For letting bridges claim themselves."""
        return Claiming(self.controller, self.changing, self.throttle)

    @cached_property
    def granting(self) -> Granting:
        """For saying who may do what."""
        return Granting(self.changing, self.gate, self.following, self.throttle)

    @cached_property
    def tariffing(self) -> Tariffing:
        """For keeping tariffs."""
        return Tariffing(self.changing, self.lives)

    @cached_property
    def pricing(self) -> Pricing:
        """For telling what sessions cost."""
        return Pricing(self.registry, self.lives, self.sessions)

    @property
    def party_id(self) -> str:
        """Under which id the network is published."""
        return self._settings.party_id

    @property
    def app_url(self) -> str:
        """Where the users' app is; nothing, if there is none."""
        return self._settings.app_url


def _prices_from(source: str) -> Prices:
    kind, _, detail = source.partition(":")
    if kind == "file" and detail:
        return FilePrices(Path(detail))
    if source == "nordpool":
        return NordpoolPrices()
    if source == "none":
        return NoPrices()
    raise WrongSetting(f"PRICES_SOURCE is {source!r}; it must be none, nordpool or file:<folder>")


def _weather_from(source: str) -> Weather:
    kind, _, detail = source.partition(":")
    if kind == "file" and detail:
        return FileWeather(Path(detail))
    if kind == "met" and detail.strip():
        return MetWeather(detail.strip())
    if source == "none":
        return NoWeather()
    raise WrongSetting(f"WEATHER_SOURCE is {source!r}; it must be none, met:<user agent> or file:<folder>")


@cache
def world() -> World:
    """Build the world of this process from its environment, once."""
    return World(Settings.from_environment())
