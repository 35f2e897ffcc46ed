import { isRouteErrorResponse, useRouteError } from "react-router";

import { LinkButton } from "../components/Button";
import { Empty } from "../components/Empty";
import { ProblemNotice } from "../components/ProblemNotice";

export function RouteError() {
  const error = useRouteError();
  if (isRouteErrorResponse(error)) return <NotFound />;
  return <ProblemNotice error={error} />;
}

export function NotFound() {
  return (
    <Empty title="There is nothing here" icon="search" action={<LinkButton to="/">Go to the dashboard</LinkButton>}>
      The address is wrong, or what it led to is gone.
    </Empty>
  );
}
