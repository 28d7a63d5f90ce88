/* Filters of the tables that backout draws, and boxes that remember. Without this everything is shown. */
(function () {
  "use strict";

  function matches(row, wanted) {
    return Object.keys(wanted).every(function (name) {
      if (!wanted[name]) return true;
      if (name === "text") return row.textContent.toLowerCase().includes(wanted.text.toLowerCase());
      var has = row.dataset[name] || "";
      // "before after" holds for both; "reads and writes" is one value.
      return has === wanted[name] || (name !== "blocks" && name !== "rollback" && has.split(" ").includes(wanted[name]));
    });
  }

  function prepare(form) {
    var table = document.getElementById(form.dataset.rows);
    if (!table || form.dataset.ready) return;
    form.dataset.ready = "yes";
    var fields = Array.from(form.elements).filter(function (one) { return one.name; });
    var rows = Array.from(table.tBodies).flatMap(function (body) { return Array.from(body.rows); });
    var counted = rows.filter(function (row) { return !("kind" in row.dataset); });

    function apply() {
      var wanted = {};
      fields.forEach(function (one) { wanted[one.name] = one.value.trim(); });
      var shown = 0;
      counted.forEach(function (row) {
        row.hidden = !matches(row, wanted);
        shown += row.hidden ? 0 : 1;
      });
      rows.forEach(function (row) {
        if ("kind" in row.dataset) {
          row.hidden = !Array.from(row.parentNode.rows).some(function (one) { return one !== row && !one.hidden; });
        }
      });
      form.querySelector("output").textContent = shown + " of " + counted.length;
      var query = new URLSearchParams();
      fields.forEach(function (one) { if (one.value.trim()) query.set(one.name, one.value.trim()); });
      var address = location.pathname + (query.size ? "?" + query : "") + location.hash;
      if (location.protocol !== "file:") history.replaceState(history.state, "", address);
    }

    var asked = new URLSearchParams(location.search);
    fields.forEach(function (one) { if (asked.has(one.name)) one.value = asked.get(one.name); });
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () { setTimeout(apply); });
    form.hidden = false;
    apply();
  }

  // The boxes of a page, kept in this browser as long as the page's text stays the same.
  function remember(bar) {
    if (bar.dataset.ready) return;
    bar.dataset.ready = "yes";
    var boxes = Array.from(document.querySelectorAll("input.bo-box"));
    var page = "backout " + location.pathname.replace(/index\.html$/, "") + " ";
    var key = page + bar.dataset.source;
    var changed = false;

    function stored() {
      try {
        var ticked = JSON.parse(localStorage.getItem(key) || "[]");
        return Array.isArray(ticked) ? ticked : [];
      } catch (error) { return []; } // storage is off, or holds something else
    }

    function forgetOthers() {
      try {
        Object.keys(localStorage).forEach(function (name) {
          if (name.startsWith(page) && name !== key) {
            changed = true;
            localStorage.removeItem(name);
          }
        });
      } catch (error) { /* storage is off */ }
    }

    function keep() {
      var ticked = boxes.filter(function (one) { return one.checked; }).map(function (one) { return one.id; });
      try {
        if (ticked.length) localStorage.setItem(key, JSON.stringify(ticked));
        else localStorage.removeItem(key);
      } catch (error) { /* storage is off */ }
      tell();
    }

    function show() {
      var ticked = stored();
      boxes.forEach(function (one) { one.checked = ticked.includes(one.id); });
      tell();
    }

    function tell() {
      var ticked = boxes.filter(function (one) { return one.checked; }).length;
      bar.querySelector("output").textContent = ticked + " of " + boxes.length + " ticked" +
        (changed ? ". This page was changed since you ticked its boxes; they were emptied" : "");
    }

    boxes.forEach(function (one) {
      one.disabled = false;
      one.addEventListener("change", keep);
    });
    bar.querySelector("button").addEventListener("click", function () {
      boxes.forEach(function (one) { one.checked = false; });
      changed = false;
      keep();
    });
    window.addEventListener("storage", function (event) { if (event.key === key || event.key === null) show(); });
    forgetOthers();
    show();
    bar.hidden = false;
  }

  // Material copies such a text, and says so.
  function link(anchor) {
    anchor.dataset.clipboardText = anchor.href;
    anchor.title = "Copies the address";
  }

  // Material wraps each copy button into a landmark without a name; it is none.
  function unmark() {
    document.querySelectorAll("nav.md-code__nav:not([role])").forEach(function (nav) { nav.setAttribute("role", "none"); });
    // And a wide table into a box that scrolls, where the keyboard does not come.
    document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])").forEach(function (box) {
      if (box.scrollWidth <= box.clientWidth) return;
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Table");
    });
  }

  // The search takes marks for operators: a minus leaves out what follows. In a message that is pasted, and before an
  // option that is typed, they are none.
  function isQuery(field) {
    return Boolean(field.matches && field.matches("[data-md-component=search-query]"));
  }

  function paste(event) {
    var field = event.target;
    if (!isQuery(field)) return;
    var words = event.clipboardData.getData("text").split(/[^\p{L}\p{N}_.']+/u).map(function (word) {
      return word.replace(/^[.']+|[.']+$/g, "");
    });
    var telling = words.filter(function (word) { return word.length > 2; }); // it would look for all that begins with "a"
    event.preventDefault();
    field.setRangeText((telling.length ? telling : words).slice(0, 20).join(" "), field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new KeyboardEvent("keyup", { bubbles: true })); // when the search looks at it again
  }

  function type(event) {
    var field = event.target;
    if (!isQuery(field) || !/^[-+]$/.test(event.data || "")) return;
    if (!/\S$/.test(field.value.slice(0, field.selectionStart))) event.preventDefault();
  }

  document.addEventListener("paste", paste);
  document.addEventListener("beforeinput", type);

  function start() {
    document.querySelectorAll("form.bo-filter").forEach(prepare);
    document.querySelectorAll(".bo-progress").forEach(remember);
    document.querySelectorAll("a.bo-link").forEach(link);
    unmark();
    new MutationObserver(unmark).observe(document.body, { childList: true, subtree: true });
    window.addEventListener("resize", unmark);
  }

  // Where pages are exchanged without being loaded, each is prepared when it comes.
  if (typeof document$ !== "undefined") document$.subscribe(start);
  else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
