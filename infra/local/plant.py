"""A site that is simulated in the ground and real from its bridges on: MQTT, certificates, cloud."""

import os
from collections.abc import Mapping
from pathlib import Path

from epspot.bootstrap import World
from epspot.services.register_site import register_site
from epspot.settings import Settings
from epspot.site import Site
from infra.local.deploy import Outputs
from infra.local.devices import BridgeFiles, register_bridge
from infra.local.ministack import REGION, Account
from iot.bridge.agent import AgentSettings
from iot.bridge.core import BridgeSettings
from iot.contract import Topics
from iot.simulator.loads import Building
from iot.simulator.runner import SimRunner
from iot.simulator.site import ModulePlan, SimSite, SitePlan


def world_of(account: Account, outputs: Outputs) -> World:
    """Reach the deployed system's ports from outside, as the account's root.

    The SDK reads where the account is from the environment, so this process is pointed at it.
    """
    os.environ.update(
        AWS_ENDPOINT_URL=account.endpoint,
        AWS_ACCESS_KEY_ID="test",
        AWS_SECRET_ACCESS_KEY="test",  # noqa: S106 - the emulator's own root
    )
    return World(
        Settings(
            region=REGION,
            live_table=outputs.live_table,
            core_table=outputs.core_table,
            bus_name=outputs.bus_name,
            refused_queue_url=outputs.refused_url,
            relay_aside_url=outputs.relay_aside_url,
            topic_prefix=outputs.prefix,
            user_pool_id=outputs.user_pool_id,
            user_pool_client_id=outputs.user_pool_client_id,
            journal_stream=outputs.journal_stream,
            live_role_arn=outputs.live_role_arn,
            endpoint_url=account.endpoint,
            deliveries_url=outputs.deliveries_url,
            deliveries_dlq_url=outputs.webhook_dlq_url,
            webhooks_allow_loopback=True,
        )
    )


def plan_of(site: Site, building: Building | None = None, registers_wh: Mapping[str, float] | None = None) -> SitePlan:
    """Describe a site to the simulator: its outlets by module, wired as they are."""
    registers = registers_wh or {}
    return SitePlan(
        modules=[
            ModulePlan(
                id=o.module,
                bridge=o.bridge,
                phases=o.phases,
                rcbo_a=o.max_a,
                energy_wh=registers.get(o.module, 0.0),
            )
            for o in site.outlets
        ],
        main_rating_a=site.main.rating_a,
        metered_by=site.meter_bridge,
        building=building,
    )


def erect(
    account: Account,
    outputs: Outputs,
    site: Site,
    folder: Path,
    *,
    building: Building | None = None,
    registers_wh: Mapping[str, float] | None = None,
    seed: int = 0,
) -> SimRunner:
    """Register a site and its bridges and make its runner; `start` it to let it live."""
    world = world_of(account, outputs)
    register_site(world.lives, world.clock, site, world.journal)
    simulated = SimSite(plan_of(site, building, registers_wh), seed=seed)
    files = [register_bridge(account, outputs, b, folder) for b in simulated.bridges]
    return SimRunner(simulated, [_agent(outputs, site, simulated, f) for f in files])


def _agent(outputs: Outputs, site: Site, simulated: SimSite, files: BridgeFiles) -> AgentSettings:
    bridge = files.bridge
    return AgentSettings(
        bridge=BridgeSettings(
            bridge=bridge,
            main_rating_a=site.main.rating_a if site.meter_bridge == bridge else None,
            wiring=simulated.wiring(bridge),
        ),
        endpoint=files.host,
        port=files.port,
        ca=files.ca,
        certificate=files.certificate,
        private_key=files.key,
        state=files.key.with_suffix(".json"),
        topics=Topics(outputs.prefix),
        reconnect_max_ms=10_000,
    )
