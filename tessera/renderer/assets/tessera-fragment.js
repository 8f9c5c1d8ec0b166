// <tessera-fragment src [lazy] [height] [timeout] [included]>fallback</tessera-fragment>
{
	const name = "tessera-fragment", sheet = new CSSStyleSheet();
	sheet.replaceSync(`:where(${name}){display:flow-root}${name}[aria-busy]{visibility:hidden}`);
	const end = (node, go) => {
		if (node) node.nextSibling ? go() : end(node.parentNode, go);
		else document.readyState == "loading" ? addEventListener("DOMContentLoaded", go) : go();
	};
	class Fragment extends HTMLElement {
		connectedCallback() {
			const { signal } = (this.stop = new AbortController());
			this.style.minHeight = this.getAttribute("height") + "px";
			if (!this.hasAttribute("lazy")) return this.load(signal);
			const eye = new IntersectionObserver((seen) => {
				if (seen.at(-1).isIntersecting) eye.disconnect(), this.load(signal);
			}, { rootMargin: "300px" });
			eye.observe(this);
		}
		disconnectedCallback() {
			this.stop.abort();
		}
		async load(signal) {
			const parsed = () => new Promise((go) => end(this, go));
			if (this.hasAttribute("included")) {
				await parsed();
				this.done ||= this.innerHTML.replace(/<!--.*?-->|<\/?esi:.*?>/gs, "").trim();
			}
			if (signal.aborted || this.done) return;
			this.ariaBusy = true;
			let type = "load", detail;
			try {
				const either = [signal, AbortSignal.timeout(this.getAttribute("timeout") || 5e3)];
				const got = await fetch(this.getAttribute("src"), { redirect: "error", signal: AbortSignal.any(either) });
				if (!got.ok || !/^text\/html/.test(got.headers.get("content-type"))) throw got.status;
				const html = await got.text();
				await parsed();
				signal.throwIfAborted();
				this.innerHTML = html;
				this.done = true;
			} catch (error) {
				type = "error", detail = error;
			}
			if (signal.aborted) return;
			this.ariaBusy = null;
			this.dispatchEvent(new CustomEvent("tessera-" + type, { bubbles: true, detail }));
		}
	}
	if (!customElements.get(name)) document.adoptedStyleSheets.push(sheet), customElements.define(name, Fragment);
}
