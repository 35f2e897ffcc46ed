/** The API's objects of notifications. */

import type { components } from "../../api/schema";

type Schemas = components["schemas"];

export type RuleRow = Schemas["RuleRow"];
export type Recipients = Required<Schemas["RecipientsBody"]>;
export type Digest = Required<Schemas["DigestBody"]>;
export type NotificationType = Schemas["TypeView"];
export type TypeList = Schemas["TypeList"];
export type Template = Schemas["TemplateView"];
export type Preview = Schemas["PreviewView"];
export type Tried = Schemas["TriedView"];
export type Channel = Schemas["ChannelRow"];
export type ChannelKind = Schemas["ChannelKindView"];
export type Sent = Schemas["NotificationRow"];
export type SentDetail = Schemas["NotificationView"];
export type Notice = Schemas["NoticeRow"];
