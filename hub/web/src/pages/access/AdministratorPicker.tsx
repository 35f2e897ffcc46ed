import { useQuery } from "@tanstack/react-query";

import { fetchPage } from "../../api/lists";
import type { AdministratorRow } from "../../api/types";
import { Select } from "../../forms/fields";

interface Props {
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
}

export function AdministratorPicker(props: Props) {
  const { data = [] } = useQuery({
    queryKey: ["administrators", "choices"],
    queryFn: () => fetchPage<AdministratorRow>("/administrators", { sort: "username" }, null).then((page) => page.items),
  });
  const options = data.map((item) => ({ value: String(item.id), label: `${item.name} (${item.username})` }));
  return <Select label="Administrator" required empty="Choose…" options={options} {...props} />;
}
