// What both peers ask for a visitor: their profile and the list, at once, over connections that are kept.

import { Pool } from "undici";

export function upstream(address) {
  const pool = new Pool(address, { connections: 64 });
  const json = async (path) => (await pool.request({ method: "GET", path })).body.json();
  return async (visitor) => {
    const [profile, list] = await Promise.all([json(`/profiles/${visitor}`), json("/lists/popular")]);
    return { profile, items: list.items };
  };
}
