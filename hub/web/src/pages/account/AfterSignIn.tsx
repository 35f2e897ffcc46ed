import { useState } from "react";
import { Navigate } from "react-router";

import { rememberedPlace } from "../../api/signIn";

/** One has come back from an identity provider and is signed in: on to where one wanted to go. */
export function AfterSignIn() {
  const [place] = useState(rememberedPlace);
  return <Navigate to={place} replace />;
}
