import "./styles/index.css";

import { createRoot } from "react-dom/client";

import { App } from "./App";
import { applyTheme } from "./components/theme";

applyTheme();
const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
