// A registry of OpenComponents in production: the component comes from a storage, here a folder, once. Prints its address.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import oc from "oc";
import { upstream } from "./upstream.mjs";

const ask = upstream(process.env.UPSTREAM);
const found = (path) => join(process.env.COMPONENTS, path);
const missing = () => Promise.reject({ code: "file_not_found" });
const getFile = (path) => readFile(found(path), "utf8").catch(missing);
const storage = () => ({
  adapterType: "folder",
  maxConcurrentRequests: 20,
  isValid: () => true,
  getFile,
  getJson: async (path) => JSON.parse(await getFile(path)),
  getUrl: (name, version, file) => `/${name}/${version}/${file}`,
  listSubDirectories: (path) => readdir(found(path)).catch(() => []),
  putDir: async () => {},
  putFile: async () => {},
  putFileContent: async () => {},
});
const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const registry = oc.Registry({
  baseUrl: `http://127.0.0.1:${port}/`,
  port,
  verbosity: 0,
  discovery: false,
  pollingInterval: 60,
  storage: { adapter: storage, options: { componentsDir: "components", path: "http://127.0.0.1/" } },
  env: { name: "production" },
});
registry.register({
  name: "upstream",
  register: { register: (_options, _dependencies, next) => next(), execute: (visitor) => ask(visitor) },
});
registry.start((failure) => {
  if (failure) throw failure;
  console.log(`http://127.0.0.1:${port}`);
});
