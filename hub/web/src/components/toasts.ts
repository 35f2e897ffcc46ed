import { createContext, useContext } from "react";

export type ToastTone = "ok" | "bad";
export type ShowToast = (text: string, tone?: ToastTone) => void;

export const ToastContext = createContext<ShowToast>(() => undefined);

/** Tell that something is done; errors that need an answer belong next to what caused them instead. */
export const useToast = (): ShowToast => useContext(ToastContext);
