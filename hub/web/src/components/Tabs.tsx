import { Link, useSearchParams } from "react-router";

export interface Tab {
  id: string;
  label: string;
}

/** Tabs are addresses (`?tab=`): they can be linked to, and the browser's back works. */
export function useTab(tabs: readonly Tab[]): string {
  const [parameters] = useSearchParams();
  const wanted = parameters.get("tab");
  return tabs.find((tab) => tab.id === wanted)?.id ?? tabs[0]?.id ?? "";
}

export function Tabs({ tabs, label }: { tabs: readonly Tab[]; label: string }) {
  const current = useTab(tabs);
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map((tab, index) => (
        <Link
          key={tab.id}
          to={{ search: index === 0 ? "" : `?tab=${tab.id}` }}
          replace
          className="tab"
          aria-current={tab.id === current ? "page" : undefined}
        >
          {tab.label}
        </Link>
      ))}
    </nav>
  );
}
