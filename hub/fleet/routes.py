"""Admin REST of agents with their servers, of commands, and of enrollment tokens.

Agents that serve all organizations are seen by everybody who may see agents, since anybody may need them;
changing them takes somebody who sees everything.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access.policy import Target, require, require_object, scope
from hub.db.errors import Forbidden, NotFound
from hub.db.uow import Database
from hub.fleet.commands import DiscoverServers
from hub.fleet.details import agent_detail, command_detail, server_tree
from hub.fleet.enrollment import Addresses
from hub.fleet.errors import AgentNotFound, CommandNotFound, TokenNotFound
from hub.fleet.listings import AGENTS, COMMANDS, TOKENS
from hub.fleet.models import Agent, EnrollmentToken, FleetCommand
from hub.fleet.schemas import (
    AgentChange,
    AgentDetail,
    AgentRow,
    CommandDetail,
    CommandRef,
    CommandRow,
    ServerTree,
    TokenCreate,
    TokenCreated,
    TokenRow,
)
from hub.fleet.service import FleetService
from hub.http.calls import Call
from hub.http.listing import ListEndpoint, ListQuery, Page
from hub.http.principal import Principal
from hub.http.routing import RouteSet, StreamedResponse, delete, get, patch, post

_DISCOVERY_DEADLINE_S = 15 * 60


def fleet_routes(fleet: FleetService, addresses: Addresses, *, base_url: str) -> list[RouteSet]:
    """Return the routes of the fleet; tokens carry ``addresses`` and ``base_url``."""
    return [AgentRoutes(fleet), CommandRoutes(fleet), TokenRoutes(fleet, addresses, base_url=base_url)]


def _agents_scope(principal: Principal) -> ColumnElement[bool] | None:
    condition = scope(principal, Agent.organization_id, action="agents.view")
    return None if condition is None else condition | Agent.organization_id.is_(None)


def _require(
    principal: Principal, action: str, organization_id: int | None, *, absent: type[NotFound]
) -> None:
    """Let through who may do ``action`` to something of this organization (None: of all of them)."""
    if organization_id is None:
        require(principal, action)
        if not principal.sees_everything:
            raise Forbidden("this serves all organizations; it takes an administrator of all of them")
        return
    target = Target(organization_id=organization_id, undivided=True)
    require_object(principal, action, target, absent=absent)


async def _visible_agent(session: AsyncSession, principal: Principal, agent_id: str) -> Agent:
    agent = await session.get(Agent, agent_id, populate_existing=True)
    if agent is None:
        raise AgentNotFound
    if agent.organization_id is not None:
        target = Target(organization_id=agent.organization_id, undivided=True)
        require_object(principal, "agents.view", target, absent=AgentNotFound)
    return agent


class AgentRoutes(RouteSet):
    """``/agents``: list, read, rename, remove; their commands and servers."""

    prefix, tag = "/agents", "agents"

    def __init__(self, fleet: FleetService) -> None:
        self._db: Database = fleet.db
        self._fleet = fleet
        self._listing = ListEndpoint(fleet.db, AGENTS, scope=_agents_scope, filename="agents.csv")
        self._commands = ListEndpoint(
            fleet.db,
            COMMANDS,
            scope=lambda who: scope(who, FleetCommand.organization_id, action="commands.view"),
            filename="commands.csv",
        )

    @get(
        "",
        action="agents.view",
        summary="List agents",
        query=ListQuery,
        returns=Page[AgentRow],
        listing=AGENTS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[AgentRow] | StreamedResponse:
        """Return a page of agents."""
        return await self._listing(call)

    @get("/{id}", action="agents.view", summary="Read an agent", returns=AgentDetail)
    async def read(self, call: Call[None, None]) -> AgentDetail:
        """Return one agent."""
        async with self._db.read() as session:
            return agent_detail(await _visible_agent(session, call.principal, call.path["id"]))

    @patch("/{id}", action="agents.edit", summary="Rename an agent", body=AgentChange, returns=AgentDetail)
    async def rename(self, call: Call[AgentChange, None]) -> AgentDetail:
        """Give an agent another name."""
        async with self._db.write() as uow:
            agent = await self._changeable(uow.session, call.principal, "agents.edit", call.path["id"])
            await self._fleet.rename_agent(uow, agent.id, name=call.body.name, principal=call.principal)
            return agent_detail(await _visible_agent(uow.session, call.principal, agent.id))

    @delete("/{id}", action="agents.remove", summary="Remove an agent", status=204)
    async def remove(self, call: Call[None, None]) -> None:
        """Remove an agent; its stream is cut at once."""
        async with self._db.write() as uow:
            agent = await self._changeable(uow.session, call.principal, "agents.remove", call.path["id"])
            await self._fleet.remove_agent(uow, agent.id, principal=call.principal)

    @get(
        "/{id}/commands",
        action="commands.view",
        summary="List an agent's commands",
        query=ListQuery,
        returns=Page[CommandRow],
        listing=COMMANDS,
    )
    async def commands(self, call: Call[None, ListQuery]) -> Page[CommandRow] | StreamedResponse:
        """Return a page of an agent's commands."""
        async with self._db.read() as session:
            agent = await _visible_agent(session, call.principal, call.path["id"])
        return await self._commands(call, where=FleetCommand.agent_id == agent.id)

    @get("/{id}/servers", action="agents.view", summary="Read an agent's servers", returns=ServerTree)
    async def servers(self, call: Call[None, None]) -> ServerTree:
        """Return servers, nodes and ports, lost ones included."""
        async with self._db.read() as session:
            agent = await _visible_agent(session, call.principal, call.path["id"])
            return await server_tree(session, agent.id)

    @post(
        "/{id}/discover-servers",
        action="commands.edit",
        summary="Have an agent list its servers",
        returns=CommandRef,
        status=202,
    )
    async def discover_servers(self, call: Call[None, None]) -> CommandRef:
        """Queue a DiscoverServers command."""
        async with self._db.write() as uow:
            agent = await self._changeable(uow.session, call.principal, "commands.edit", call.path["id"])
            command_id = await self._fleet.enqueue(
                uow,
                agent_id=agent.id,
                body=DiscoverServers(),
                deadline_s=_DISCOVERY_DEADLINE_S,
                subject_type="agent",
                subject_id=agent.id,
                organization_id=agent.organization_id,
                requested_by=call.principal.name,
            )
        return CommandRef(command_id=command_id)

    @staticmethod
    async def _changeable(session: AsyncSession, principal: Principal, action: str, agent_id: str) -> Agent:
        agent = await _visible_agent(session, principal, agent_id)
        _require(principal, action, agent.organization_id, absent=AgentNotFound)
        return agent


class CommandRoutes(RouteSet):
    """``/commands``: list, read, cancel, retry."""

    prefix, tag = "/commands", "commands"

    def __init__(self, fleet: FleetService) -> None:
        self._db: Database = fleet.db
        self._fleet = fleet
        self._listing = ListEndpoint(
            fleet.db,
            COMMANDS,
            scope=lambda who: scope(who, FleetCommand.organization_id, action="commands.view"),
            filename="commands.csv",
        )

    @get(
        "",
        action="commands.view",
        summary="List commands",
        query=ListQuery,
        returns=Page[CommandRow],
        listing=COMMANDS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[CommandRow] | StreamedResponse:
        """Return a page of commands."""
        return await self._listing(call)

    @get("/{id}", action="commands.view", summary="Read a command", returns=CommandDetail)
    async def read(self, call: Call[None, None]) -> CommandDetail:
        """Return one command with body, progress, result and timeline."""
        async with self._db.read() as session:
            await self._require(session, call.principal, "commands.view", call.path["id"])
            return await command_detail(session, call.path["id"])

    @post("/{id}/cancel", action="commands.edit", summary="Cancel a command", returns=CommandDetail)
    async def cancel(self, call: Call[None, None]) -> CommandDetail:
        """Cancel a command, or ask its agent to give it up."""
        async with self._db.write() as uow:
            await self._require(uow.session, call.principal, "commands.edit", call.path["id"])
            await self._fleet.cancel(uow, call.path["id"], principal=call.principal)
            return await command_detail(uow.session, call.path["id"])

    @post(
        "/{id}/retry",
        action="commands.edit",
        summary="Try a command again",
        returns=CommandRef,
        status=202,
    )
    async def retry(self, call: Call[None, None]) -> CommandRef:
        """Queue a command that did not succeed once more."""
        async with self._db.write() as uow:
            await self._require(uow.session, call.principal, "commands.edit", call.path["id"])
            command_id = await self._fleet.retry(uow, call.path["id"], principal=call.principal)
        return CommandRef(command_id=command_id)

    @staticmethod
    async def _require(session: AsyncSession, principal: Principal, action: str, command_id: str) -> None:
        row = await session.get(FleetCommand, command_id, populate_existing=True)
        if row is None or (row.organization_id is None and not principal.sees_everything):
            raise CommandNotFound
        _require(principal, action, row.organization_id, absent=CommandNotFound)


class TokenRoutes(RouteSet):
    """``/enrollment-tokens``: list, create, withdraw."""

    prefix, tag = "/enrollment-tokens", "enrollment-tokens"

    def __init__(self, fleet: FleetService, addresses: Addresses, *, base_url: str) -> None:
        self._db: Database = fleet.db
        self._fleet = fleet
        self._addresses = addresses
        self._base_url = base_url
        self._listing = ListEndpoint(
            fleet.db,
            TOKENS,
            scope=lambda who: scope(who, EnrollmentToken.organization_id, action="agents.enroll"),
            filename="enrollment-tokens.csv",
        )

    @get(
        "",
        action="agents.enroll",
        summary="List enrollment tokens",
        query=ListQuery,
        returns=Page[TokenRow],
        listing=TOKENS,
    )
    async def list(self, call: Call[None, ListQuery]) -> Page[TokenRow] | StreamedResponse:
        """Return a page of tokens, without their secrets."""
        return await self._listing(call)

    @post(
        "",
        action="agents.enroll",
        summary="Create an enrollment token",
        body=TokenCreate,
        returns=TokenCreated,
        status=201,
    )
    async def create(self, call: Call[TokenCreate, None]) -> TokenCreated:
        """Create a one-time token; its text is shown in this answer only."""
        _require(call.principal, "agents.enroll", call.body.organization_id, absent=TokenNotFound)
        async with self._db.write() as uow:
            contents = await self._fleet.create_token(
                uow,
                kinds=call.body.kinds,
                organization_id=call.body.organization_id,
                lifetime_s=call.body.lifetime_hours * 3600,
                enroll_address=self._addresses.enrollment,
                http_url=self._base_url,
                created_by=call.principal.name,
                principal=call.principal,
            )
        return TokenCreated(id=contents.id, token=contents.text())

    @delete("/{id}", action="agents.enroll", summary="Withdraw an enrollment token", status=204)
    async def revoke(self, call: Call[None, None]) -> None:
        """Withdraw a token that has not been used."""
        async with self._db.write() as uow:
            row = await uow.session.get(EnrollmentToken, call.path["id"])
            if row is None or (row.organization_id is None and not call.principal.sees_everything):
                raise TokenNotFound
            _require(call.principal, "agents.enroll", row.organization_id, absent=TokenNotFound)
            await self._fleet.revoke_token(uow, row.id, principal=call.principal)
