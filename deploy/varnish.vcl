vcl 4.1;
# Varnish in front of a shop whose pages include fragments: <esi:include src="/fragments/home/hero"/>
# In tessera.toml: [edge] kind = "varnish"

import std;

backend tessera {
  .host = "127.0.0.1";
  .port = "8000";
  .connect_timeout = 100ms;
  .first_byte_timeout = 1s;
  .between_bytes_timeout = 1s;
}

backend shop {
  .host = "127.0.0.1";
  .port = "8001";
}

sub vcl_recv {
  if (req.restarts == 0) {
    # What only the edge may say.
    unset req.http.X-Tessera-Digest;
    unset req.http.X-Tessera-Edge-Secret;
    unset req.http.X-Tessera-Visitor;
    unset req.http.X-Asked-Url;
    unset req.http.Tessera-Context;
  }
  if (req.url ~ "^/fragments/[^/?]+/[^/?]+(\?|$)") {
    set req.backend_hint = tessera;
    if (req.method != "GET" && req.method != "HEAD") {
      return (pass);
    }
    if (req.restarts == 0) {
      # First: which copies are this visitor's? Asked once for each of them, page and parameters.
      set req.http.X-Asked-Url = req.url;
      set req.url = regsub(req.url, "^/fragments/([^/?]+)/[^/?]+", "/context/\1");
      return (hash);
    }
    # Then: the fragment, by the digest of its own slot: `hero|banner=public, hero=d…` holds the second `hero`.
    set req.http.X-Tessera-Digest =
      regsub(req.url, "^/fragments/[^/?]+/([^/?]+).*$", "\1") + "|" + req.http.Tessera-Context;
    if (req.http.X-Tessera-Digest !~ "^([^|]+)\|(.*, )?\1=") {
      unset req.http.X-Tessera-Digest;
      return (pass);
    }
    set req.http.X-Tessera-Digest = regsub(req.http.X-Tessera-Digest, "^([^|]+)\|(.*, )?\1=([^,]*).*$", "\3");
    if (req.http.X-Tessera-Digest == "private") {
      return (pass);
    }
    if (req.http.X-Tessera-Digest == "public") {
      unset req.http.X-Tessera-Digest;
    }
    return (hash);
  }
  set req.backend_hint = shop;
}

sub vcl_hash {
  # Varnish goes through the variants of an address one after the other, and lets the next visitor wait until it knows
  # what an answer varies on: so each visitor has a place of their own.
  if (req.url ~ "^/context/") {
    hash_data(req.http.Cookie);
  }
}

sub vcl_backend_response {
  if (bereq.backend == shop) {
    set beresp.do_esi = true;
    unset beresp.http.ETag;  # of the page alone: its parts change without it
    unset beresp.http.Last-Modified;
    return (deliver);
  }
  if (beresp.http.CDN-Cache-Control ~ "max-age=[0-9]+") {
    set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "^.*max-age=([0-9]+).*$", "\1s"), 0s);
    set beresp.grace = 0s;
    if (beresp.http.CDN-Cache-Control ~ "stale-while-revalidate=[0-9]+") {
      set beresp.grace = std.duration(
        regsub(beresp.http.CDN-Cache-Control, "^.*stale-while-revalidate=([0-9]+).*$", "\1s"), 0s);
    }
    return (deliver);
  }
  if (beresp.http.Cache-Control ~ "private|no-store") {
    set beresp.uncacheable = true;
    set beresp.ttl = 1s;  # for so long others with this digest do not wait for one another
    return (deliver);
  }
}

sub vcl_deliver {
  if (req.http.X-Asked-Url && req.restarts == 0) {
    set req.http.Tessera-Context = resp.http.Tessera-Context;
    set req.url = req.http.X-Asked-Url;
    return (restart);
  }
}
