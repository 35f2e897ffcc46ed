import { useSessionQuery } from "../api/session";
import { ProblemNotice } from "../components/ProblemNotice";
import { SignInPage } from "../pages/account/SignInPage";
import { Shell } from "./Shell";

/** The sign-in page takes the place of whatever was asked for, so that one ends up there afterwards. */
export function RequireSession() {
  const session = useSessionQuery();
  if (session.data) return <Shell />;
  if (session.data === null) return <SignInPage />;
  if (session.error) {
    return (
      <main className="page">
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </main>
    );
  }
  return <main className="page" aria-busy="true" aria-label="Loading" />;
}
