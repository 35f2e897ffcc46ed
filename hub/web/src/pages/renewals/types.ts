/** The API's objects of the planning of renewals. */

import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type FreezeRow = Schemas["FreezeRow"];
export type Freeze = Schemas["FreezeView"];
export type WindowRow = Schemas["WindowRow"];
export type Window = Schemas["WindowView"];
export type Consequences = Schemas["ConsequencesView"];
export type Concerned = Schemas["ConcernedView"];
export type CalendarEvent = Schemas["CalendarEvent"];
export type CalendarRange = Schemas["CalendarView"];
export type Forecast = Schemas["ForecastView"];
export type BackendForecast = Schemas["BackendForecastView"];
export type AgentForecast = Schemas["AgentForecastView"];
export type QuotaRow = Schemas["QuotaRow"];
export type Budget = Schemas["BudgetView"];
export type BudgetRow = Schemas["BudgetRow"];
export type BudgetSummary = Schemas["BudgetSummary"];
export type OrganizationFigure = Schemas["OrganizationFigureView"];
export type ChainLink = Schemas["ChainLinkView"];
export type UpcomingRow = Schemas["UpcomingRow"];
export type Renewal = Schemas["RenewalView"];
