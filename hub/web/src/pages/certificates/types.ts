/** The API's objects of this area that nobody else shows. */

import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type Checked = Schemas["CheckedView"];
export type SigningRequest = Schemas["SigningRequestView"];
export type ImportRun = Schemas["ImportView"];
export type ImportFile = Schemas["ImportFileView"];
export type InstallSchedule = Schemas["InstallScheduleBody"];
export type AutoRenew = Schemas["AutoRenewBody"];
export type BulkAction = Schemas["BulkBody"]["action"];
export type BulkResult = Schemas["BulkResult"];
export type Approval = Schemas["ApprovalView"];
export type Note = Schemas["NoteView"];
export type Share = Schemas["Share"];
export type Dashboard = Schemas["Dashboard"];
export type Sent = Schemas["NotificationRow"];
export type Renewal = Schemas["RenewalView"];
export type Budget = Schemas["BudgetView"];
