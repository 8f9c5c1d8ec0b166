// A podlet on Fastify, the fastest of the servers that Podium has a plugin for. Prints its address.

import fastifyPodlet from "@podium/fastify-podlet";
import Podlet from "@podium/podlet";
import fastify from "fastify";
import { rail } from "./html.mjs";
import { upstream } from "./upstream.mjs";

const ask = upstream(process.env.UPSTREAM);
const podlet = new Podlet({ name: "rail", version: "1.0.0", pathname: "/", development: false });
const app = fastify({ logger: false });
app.register(fastifyPodlet, podlet);
app.get(podlet.manifest(), async () => podlet);
app.get(podlet.content(), async (request, reply) => {
  const visitor = /tessera_visitor=([^.;]+)/.exec(request.headers.cookie)[1];
  const { profile, items } = await ask(visitor);
  reply.podiumSend(rail(profile, items, request.headers["user-agent"].includes("Mobi")));
  return reply;
});
console.log(await app.listen({ port: 0, host: "127.0.0.1" }));
