/**
 * This browser's receiver key. It is made once and kept in IndexedDB as a key that no script can read, so that
 * the owner of a private key store can name its fingerprint in the agent's `policy.toml`. Where nothing can be
 * kept (a private window), it lasts as long as the page.
 */

import { toHex } from "./bytes";
import { newKeyPair, type KeyPair } from "./hpke";

const DATABASE = "certwright-keys";
const STORE = "receiver";
const NAME = "x25519";

let lasting: Promise<KeyPair> | null = null;

/** Whether this browser can receive keys at all: X25519 came in 2025, and only over TLS. */
export async function canReceiveKeys(): Promise<boolean> {
  try {
    await newKeyPair();
    return true;
  } catch {
    return false;
  }
}

export function receiverKey(): Promise<KeyPair> {
  lasting ??= kept();
  return lasting;
}

/** `sha256:` and hex digits, as the agent's policy names it. */
export async function receiverFingerprint(publicKey: KeyPair["publicKey"]): Promise<string> {
  return `sha256:${toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey)))}`;
}

async function kept(): Promise<KeyPair> {
  const fresh = await newKeyPair();
  try {
    const database = await opened();
    try {
      return await firstOf(database, fresh);
    } finally {
      database.close();
    }
  } catch {
    return fresh;
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => { resolve(request.result); };
    request.onerror = () => { reject(request.error ?? new Error("no database")); };
    request.onblocked = () => { reject(new Error("the database is in use")); };
  });
}

/** The pair that is there already, else the fresh one, kept: one transaction, so that two tabs agree. */
function firstOf(database: IDBDatabase, fresh: KeyPair): Promise<KeyPair> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORE, "readwrite");
    const store = transaction.objectStore(STORE);
    const request = store.get(NAME) as IDBRequest<KeyPair | undefined>;
    let pair = fresh;
    request.onsuccess = () => {
      if (request.result === undefined) store.put(fresh, NAME);
      else pair = request.result;
    };
    transaction.oncomplete = () => { resolve(pair); };
    transaction.onerror = () => { reject(transaction.error ?? new Error("nothing was kept")); };
    transaction.onabort = () => { reject(transaction.error ?? new Error("nothing was kept")); };
  });
}
