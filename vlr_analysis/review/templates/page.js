// Everything a page does by itself. Its words come from the page; without it every text, figure and table is still there.
(function () {
  "use strict";
  var root = document.documentElement;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  // A page opened from a folder may not be allowed to keep anything: then the choice holds for the page.
  function kept() { try { return localStorage.getItem("vlr-theme"); } catch (error) { return null; } }
  function keep(theme) { try { localStorage.setItem("vlr-theme", theme); } catch (error) { return; } }
  function each(selector, act, within) { Array.prototype.forEach.call((within || document).querySelectorAll(selector), act); }

  if (kept() === "dark" || kept() === "light") { root.dataset.theme = kept(); }

  function theme() {
    var button = document.querySelector("button.theme");
    function now() { return root.dataset.theme || (dark.matches ? "dark" : "light"); }
    function name() { button.textContent = now() === "dark" ? button.dataset.light : button.dataset.dark; }
    button.addEventListener("click", function () {
      root.dataset.theme = now() === "dark" ? "light" : "dark";
      keep(root.dataset.theme);
      name();
    });
    dark.addEventListener("change", name);
    name();
    button.hidden = false;
  }

  function code() {
    var button = document.querySelector("button.all-code");
    if (!button || !document.querySelector("details.code")) { return; }
    button.hidden = false;
    button.addEventListener("click", function () {
      var open = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? button.dataset.hide : button.dataset.show;
      each("details.code", function (one) { one.open = open; });
    });
  }

  // Boxes are reached by the tab key only where there is something to scroll to.
  function boxes() {
    each(".table, .plate, pre", function (box) {
      if (!box.clientWidth) { return; }
      if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) { box.tabIndex = 0; } else { box.removeAttribute("tabindex"); }
    });
  }

  function contents() {
    var list = document.querySelector(".toc details");
    if (!list) { return; }
    var wide = window.matchMedia("(min-width: 75rem)");
    function fit() { list.open = wide.matches; }
    wide.addEventListener("change", fit);
    fit();
    var links = {};
    each(".toc a", function (link) { links[decodeURIComponent(link.hash.slice(1))] = link; });
    var heads = Object.keys(links).map(function (id) { return document.getElementById(id); }).filter(Boolean);
    var waiting = false;
    function mark() {
      waiting = false;
      var at = heads[0];
      heads.forEach(function (head) { if (head.getBoundingClientRect().top < 140) { at = head; } });
      heads.forEach(function (head) {
        if (head === at) { links[head.id].setAttribute("aria-current", "location"); } else { links[head.id].removeAttribute("aria-current"); }
      });
    }
    window.addEventListener("scroll", function () {
      if (!waiting) { waiting = true; window.requestAnimationFrame(mark); }
    }, { passive: true });
    if (heads.length) { mark(); }
  }

  function plain(text) { return text.toLowerCase().normalize("NFKD").replace(/[\u0300-\u036f]/g, ""); }

  function filter() {
    var form = document.querySelector("form.filter");
    if (!form) { return; }
    var items = Array.prototype.slice.call(document.querySelectorAll(".findings.all > li"));
    var texts = items.map(function (item) { return plain(item.textContent); });
    var told = form.querySelector("output");
    var names = ["q", "goal", "verdict", "grade", "kind"];
    function show() {
      var words = plain(form.elements.q.value).split(/\s+/).filter(Boolean);
      var count = 0;
      items.forEach(function (item, place) {
        var fits = names.slice(1).every(function (name) {
          var wanted = form.elements[name].value;
          return !wanted || (name === "grade" ? wanted.indexOf(item.dataset.grade) >= 0 : item.dataset[name] === wanted);
        }) && words.every(function (word) { return texts[place].indexOf(word) >= 0; });
        item.hidden = !fits;
        count += fits;
      });
      told.textContent = told.dataset.text.replace("{shown}", count).replace("{all}", items.length);
    }
    function write() {
      var chosen = new URLSearchParams();
      names.forEach(function (name) { if (form.elements[name].value) { chosen.set(name, form.elements[name].value); } });
      history.replaceState(null, "", "#" + (chosen.toString() || "findings"));
    }
    function take(text) {
      var chosen = new URLSearchParams(text);
      names.forEach(function (name) { form.elements[name].value = chosen.get(name) || ""; });
      show();
    }
    function read() {
      var hash = location.hash.slice(1);
      if (hash.indexOf("=") >= 0) {
        take(hash);
        document.getElementById("findings").scrollIntoView();
      } else if (document.getElementById(hash) && document.getElementById(hash).hidden) {
        take("");
        document.getElementById(hash).scrollIntoView();
      }
    }
    form.addEventListener("input", function () { show(); write(); });
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () { window.setTimeout(function () { show(); write(); }); });
    each("a[data-filter]", function (link) {
      link.addEventListener("click", function (event) {
        event.preventDefault();
        take(link.dataset.filter);
        write();
        document.getElementById("findings").scrollIntoView();
        form.elements.q.focus({ preventScroll: true });
      });
    });
    window.addEventListener("hashchange", read);
    form.hidden = false;
    show();
    read();
  }

  // On paper nothing can be opened: lists of findings and rows of evidence are, code and data of figures are not.
  function print() {
    var opened = [];
    window.addEventListener("beforeprint", function () {
      each("details.more:not([open]), details.rows:not([open])", function (one) { one.open = true; opened.push(one); });
    });
    window.addEventListener("afterprint", function () {
      opened.forEach(function (one) { one.open = false; });
      opened = [];
    });
  }

  // An anchor inside something closed opens it.
  function reveal() {
    var target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (var at = target && target.parentElement, moved = false; at; at = at.parentElement) {
      if (at.tagName === "DETAILS" && !at.open) { at.open = true; moved = true; }
      if (at === document.body && moved) { target.scrollIntoView(); }
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    theme();
    code();
    contents();
    filter();
    print();
    boxes();
    reveal();
    window.addEventListener("hashchange", reveal);
    window.addEventListener("resize", boxes);
    document.addEventListener("toggle", boxes, true);
  });
}());
