/** The API's objects under the names that the console uses; all generated from the hub's OpenAPI document. */

import type { components } from "./schema";

type Schemas = components["schemas"];

/** The hub always sends what the schema lets senders leave out. */
export type Grant = Required<Schemas["GrantSchema"]>;

type WithGrants<T> = Omit<T, "grants"> & { grants: Grant[] };

export type Session = WithGrants<Schemas["SessionOut"]>;

export type CertificateRow = Schemas["CertificateRow"];
export type Certificate = Schemas["CertificateDetail"];
export type CertificateRequest = Schemas["CertificateRequestBody"];
export type ChainEntry = Schemas["ChainEntry"];
export type InstallItem = Schemas["ItemView"];
export type Location = Schemas["LocationView"];
export type CertificateCommand = Schemas["CommandView"];
export type Enrolled = Schemas["EnrolledView"];
export type BulkResults = Schemas["BulkResults"];
export type KeyType = Schemas["KeyType"];
export type RevocationReason = Schemas["RevocationReason"];
export type DownloadFormat = Schemas["DownloadFormat"];
export type Target = Schemas["TargetBody"];

export type AgentRow = Schemas["AgentRow"];
export type Agent = Schemas["AgentDetail"];
export type CommandRow = Schemas["CommandRow"];
export type Command = Schemas["CommandDetail"];
export type Server = Schemas["ServerRow"];
export type ServerNode = Schemas["NodeRow"];
export type ServerTree = Schemas["ServerTree"];
export type TokenRow = Schemas["TokenRow"];
export type TokenCreated = Schemas["TokenCreated"];

export type TaskRow = Schemas["TaskRow"];
export type Task = Schemas["TaskView"];
export type TaskFields = Schemas["TaskCreate"];
export type ScanRow = Schemas["ScanRow"];
export type Scan = Schemas["ScanView"];
export type FindRow = Schemas["FindRow"];
export type EndpointRow = Schemas["EndpointRow"];

export type OrganizationRow = Schemas["OrganizationRow"];
export type DepartmentRow = Schemas["DepartmentRow"];
export type DomainRow = Schemas["DomainRow"];
export type RenewalPolicy = Required<Schemas["Renewal"]>;
export type Profile = Omit<Schemas["ProfileView"], "renewal"> & { renewal: RenewalPolicy };
export type ProfilePreview = Schemas["ProfilePreviewView"];
export type CompromisedKeyRow = Schemas["CompromisedKeyRow"];
export type BackendRow = Schemas["BackendView"];
export type Backend = Schemas["BackendDetail"];
export type BackendKind = Schemas["KindView"];
export type Authority = Schemas["AuthorityView"];
export type PrivateCa = Schemas["PrivateCaView"];
export type PrivateCaDetail = Schemas["PrivateCaDetail"];
export type PrivateCaFields = Schemas["PrivateCaCreate"];
export type PrivateCaOptions = Schemas["PrivateCaOptions"];
export type CaTemplate = Schemas["CaTemplateView"];
export type Ceremony = Schemas["CeremonyView"];

export type AuditRow = Schemas["AuditRow"];
export type AdministratorRow = Schemas["AdministratorRow"];
export type ApiTokenRow = Schemas["ApiTokenRow"];
export type Administrator = WithGrants<Schemas["AdministratorDetail"]>;
export type AdministratorFields = Schemas["AdministratorIn"];
export type Privilege = Schemas["PrivilegeView"];
export type OwnProfile = WithGrants<Schemas["Profile"]>;
export type ActivityRow = Schemas["ActivityRow"];
export type Factors = Schemas["FactorsOut"];
export type PasskeyRow = Schemas["PasskeyRow"];
export type SessionRow = Schemas["SessionRow"];
export type TotpSetup = Schemas["TotpOut"];
export type SignInStep = Schemas["SignInStep"];
export type SignInMethods = Schemas["SignInMethods"];
export type SignInEnrolled = Omit<Schemas["EnrolledOut"], "next"> & { next: Session | SignInStep };
export type GeneralSettings = Schemas["GeneralSettings"];
export type AccessRule = Schemas["AccessRuleSchema"];
export type ProviderRow = Schemas["ProviderRow"];
export type TemplateGrant = Required<Schemas["TemplateGrant"]>;
export type ProviderTemplate = Omit<Schemas["Template"], "grants"> & { grants: TemplateGrant[] };
type WithTemplates<T> = Omit<Required<T>, "templates"> & { templates: ProviderTemplate[] };
export type ProviderSettings = WithTemplates<Schemas["SamlSettings"]> | WithTemplates<Schemas["OidcSettings"]>;
export type Provider = Omit<Schemas["ProviderOut"], "settings"> & { settings: ProviderSettings };
export type LinkRow = Schemas["LinkRow"];
export type BindingRow = Schemas["CertificateBindingRow"];

export type TypeSettings = Schemas["SettingsView"];
export type DomainAnswer = Required<Schemas["DomainAnswer"]>;
export type Overlap = Schemas["OverlapView"];
export type PersonRow = Schemas["PersonRow"];
export type CustomField = Schemas["CustomFieldView"];
export type DcvMethods = Schemas["MethodList"];
export type DcvMethod = Schemas["MethodView"];
export type DnsWriter = Schemas["WriterView"];
export type DcvRow = Schemas["ValidationRow"];
export type Dcv = Schemas["hub__organizations__dcv__schemas__ValidationView"];
export type DcvCheck = Schemas["CheckResult"];
export type DcvHistory = Schemas["History"];
export type DcvOutlook = Schemas["OutlookView"];
export type OrganizationValidation = Schemas["hub__organizations__schemas__ValidationView"];

export type Dashboard = Schemas["Dashboard"];
export type Share = Required<Schemas["Share"]>;
