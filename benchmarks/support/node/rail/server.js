import { rail } from "../html.mjs";

export const data = (context, callback) => {
  const mobile = context.requestHeaders["user-agent"].includes("Mobi");
  context.plugins
    .upstream(context.params.visitor)
    .then(({ profile, items }) => callback(null, { html: rail(profile, items, mobile) }), callback);
};
