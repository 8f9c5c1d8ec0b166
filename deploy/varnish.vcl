vcl 4.1;
# Varnish in front of a shop whose pages include fragments: <esi:include src="/fragments/home/hero"/>
# and whole pages of Tessera's, of which it includes the fragments itself: /pages/home
# In tessera.toml: [edge] kind = "varnish"; and, so that purges reach it,
# [[downstream]] name = "edge", kind = "varnish", url = "http://127.0.0.1:6081"

import std;
import xkey;  # in Debian's package varnish-modules, and in the official images of Varnish

# Where Tessera's servers are: who may purge.
acl purgers {
  "127.0.0.1";
  "::1";
}

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
  if (req.method == "PURGE") {
    # Varnish has put the peer's address there; two of them have come through a proxy.
    if (client.ip !~ purgers || req.http.X-Forwarded-For ~ ",") {
      return (synth(403));
    }
    if (req.http.xkey-purge) {
      set req.http.X-Purged = xkey.purge(req.http.xkey-purge);
    } elseif (req.http.xkey-softpurge) {
      set req.http.X-Purged = xkey.softpurge(req.http.xkey-softpurge);
    } else {
      return (synth(400));
    }
    return (synth(200, "Purged " + req.http.X-Purged));
  }
  if (req.restarts == 0) {
    # What only the edge may say.
    unset req.http.X-Tessera-Digest;
    unset req.http.X-Tessera-Edge-Secret;
    unset req.http.X-Tessera-Visitor;
    unset req.http.X-Asked-Url;
    unset req.http.Tessera-Context;
    # First: which copies are this visitor's? Asked once for each of them, page and parameters.
    set req.http.X-Asked-Url = req.url;
    set req.url =
      regsub(req.url, "^(/[a-z][A-Za-z-]+)?/(pages/([^/?]+)|fragments/([^/?]+)/[^/?]+)(\?|$)", "\1/context/\3\4\5");
    if (req.url == req.http.X-Asked-Url) {
      unset req.http.X-Asked-Url;
      set req.backend_hint = shop;
    } else {
      set req.backend_hint = tessera;
      if (req.method != "GET" && req.method != "HEAD") {
        set req.url = req.http.X-Asked-Url;
        unset req.http.X-Asked-Url;
        return (pass);
      }
      return (hash);
    }
  } else {
    set req.backend_hint = tessera;
    # Then: what of `banner=public, hero=d…` is this slot's? What is not there leaves the whole line, with its space.
    set req.http.X-Tessera-Digest = regsub(req.url + " " + req.http.Tessera-Context,
      "^(/[a-z][A-Za-z-]+)?/fragments/[^/?]+/([^/? ]+)[^ ]* (.*, )?\2=([^,]*).*$", "\4");
    if (req.http.X-Tessera-Digest ~ " ") {
      if (req.url ~ "^(/[a-z][A-Za-z-]+)?/pages/") {
        # The layout alone, with what to include: `compose` counts where it is told first.
        set req.url = regsub(req.url, "^([^?]*)\??", "\1?compose=esi&");
        set req.http.X-Tessera-Digest =
          regsub(" " + req.http.Tessera-Context, "^ (.*, )?layout=([^,]*).*$", "\2");
      }
    }
    if (req.http.X-Tessera-Digest ~ " ") {
      unset req.http.X-Tessera-Digest;
      return (pass);
    }
    if (req.http.X-Tessera-Digest == "private") {
      return (pass);
    }
    if (req.http.X-Tessera-Digest == "public") {
      unset req.http.X-Tessera-Digest;
    }
    return (hash);
  }
}

sub vcl_hash {
  # Varnish goes through the variants of an address one after the other, and lets the next visitor wait until it knows
  # what an answer varies on: so each visitor has a place of their own.
  if (req.http.X-Asked-Url && req.restarts == 0) {
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
  if (bereq.url ~ "\?compose=esi&") {
    set beresp.do_esi = true;
  }
  if (beresp.http.CDN-Cache-Control ~ "max-age=[0-9]+") {
    set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "^.*max-age=([0-9]+).*$", "\1s"), 0s);
    set beresp.grace = 0s;
    if (beresp.http.CDN-Cache-Control ~ "stale-while-revalidate=[0-9]+") {
      set beresp.grace = std.duration(
        regsub(beresp.http.CDN-Cache-Control, "^.*stale-while-revalidate=([0-9]+).*$", "\1s"), 0s);
    }
    if (bereq.url ~ "^(/[a-z][A-Za-z-]+)?/context/") {
      # Nobody is sent these, yet with each request they would be logged.
      unset beresp.http.Cache-Control;
      unset beresp.http.CDN-Cache-Control;
      unset beresp.http.Date;
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
  unset resp.http.xkey;
}
