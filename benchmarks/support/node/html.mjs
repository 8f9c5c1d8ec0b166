// The HTML of the rail: what `site/templates/rail.jinja` gives for the same visitor, by the rules of `site/rules`.

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;" };
const escaped = (value) => String(value).replace(/[&<>"']/g, (character) => ENTITIES[character]);
const euros = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

function isMember({ traits, segments }, mobile) {
  const regular = traits.sessions_30d >= 5;
  return (
    (segments.includes("vip") && mobile) ||
    traits.tier === "platinum" ||
    (traits.tier === "gold" && regular) ||
    (traits.tier === "silver" && !regular)
  );
}

const listed = (item) => `
    <li><a href="/pages/product?sku=${escaped(item.sku)}"><b>${escaped(item.title)}</b> <i>${escaped(item.brand)}</i>
      <span class="price">${escaped(euros.format(item.price.amount / 100))}</span></a></li>`;

export function rail(profile, items, mobile) {
  const tier = escaped(profile.traits.tier);
  const cta = isMember(profile, mobile)
    ? { text: "To your shelf", url: `/pages/home?tier=${tier}` }
    : { text: "Look around", url: "/pages/home" };
  return `<section class="rail" aria-label="Bestsellers">
  <h2>For our ${tier} members</h2>
  <ul>${items.map(listed).join("")}
  </ul>
  <a class="cta" href="${cta.url}">${cta.text}</a>
</section>`;
}
