"""The only place that builds adapters. A handler asks for what its use cases need; tests build the same from fakes."""

from functools import cache, cached_property
from pathlib import Path
from typing import Any

import botocore.config
import botocore.session

from epspot.adapters.clock import SystemClock
from epspot.adapters.cognito import CognitoIdentity
from epspot.adapters.dynamodb.items import open_tables
from epspot.adapters.dynamodb.lives import DynamoLives, notices_of
from epspot.adapters.dynamodb.sessions import DynamoSessions, DynamoVehicles
from epspot.adapters.dynamodb.sites import DynamoSites
from epspot.adapters.iot import ContractInbound, IotCommands
from epspot.adapters.journal import FirehoseJournal
from epspot.adapters.prices import FilePrices, NoPrices, NordpoolPrices
from epspot.adapters.queues import EventBridgeBus, SqsRefused
from epspot.adapters.weather import FileWeather, MetWeather, NoWeather
from epspot.ports import Prices, Weather
from epspot.services.advance import Controller
from epspot.services.follow_session import Following
from epspot.services.list_outlets import Listing
from epspot.services.note_session import Noting
from epspot.services.refresh_outlook import Outlooks
from epspot.services.start_session import Starting
from epspot.services.take_message import Intake
from epspot.services.tick_sites import Ticking
from epspot.settings import Settings, WrongSetting
from iot.contract import Topics

_CLIENT = botocore.config.Config(connect_timeout=1, read_timeout=5, retries={"max_attempts": 3, "mode": "standard"})
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
    def lives(self) -> DynamoLives:
        """The state of sites."""
        s = self._settings
        return DynamoLives(open_tables(s.live_table, s.core_table, s.region))

    @cached_property
    def sites(self) -> DynamoSites:
        """Which site things belong to."""
        _ = self.lives
        return DynamoSites()

    @cached_property
    def sessions(self) -> DynamoSessions:
        """What users have had."""
        _ = self.lives
        return DynamoSessions()

    @cached_property
    def vehicles(self) -> DynamoVehicles:
        """What is known of users' vehicles."""
        _ = self.lives
        return DynamoVehicles()

    @cached_property
    def commands(self) -> IotCommands:
        """The way to the hardware: the account's own data endpoint, which must be asked for."""
        options = {}
        if self._settings.endpoint_url is None:
            told = self._client("iot").describe_endpoint(endpointType="iot:Data-ATS")
            options = {"endpoint_url": f"https://{told['endpointAddress']}"}
        return IotCommands(self._client("iot-data", **options), Topics(self._settings.topic_prefix))

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
        return CognitoIdentity(self._client("cognito-idp"), self._settings.user_pool_client_id)

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
        return Controller(self.lives, self.commands, self.journal)

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
    def listing(self) -> Listing:
        """For listing outlets."""
        return Listing(self.lives, self.sites)


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
