// The form for comments: keeps what is written in this browser, and saves it as the CSV file that `vlr comments` reads.
(function () {
  "use strict";
  var HEADS = ["Finding", "Chapter", "Statement", "Grade", "Verdict", "Comment", "Who", "Kind", "Date", "Key"];
  var form = document.getElementById("form"), who = document.getElementById("who"), state = document.getElementById("state");
  var boxes = Array.prototype.slice.call(form.querySelectorAll("section.box"));
  var name = "vlr-comments-" + form.dataset.city, keeps = true;

  function part(box, kind) { return document.getElementById(kind + "-" + box.id); }
  function filled() { return boxes.filter(function (box) { return part(box, "text").value.trim(); }); }

  // Keyed by what the finding says: a comment does not move to a finding that has changed.
  function held() {
    var all = {};
    boxes.forEach(function (box) {
      var text = part(box, "text").value, kind = part(box, "kind").value;
      if (text || kind) { all[box.id + " " + box.dataset.key] = [text, kind]; }
    });
    return { who: who.value, all: all };
  }
  function keep() {
    try { localStorage.setItem(name, JSON.stringify(held())); } catch (error) { keeps = false; }
    tell();
  }
  function resume() {
    var before = null;
    try { before = JSON.parse(localStorage.getItem(name) || "null"); } catch (error) { keeps = false; }
    if (!before || !before.all) { return; }
    who.value = before.who || "";
    boxes.forEach(function (box) {
      var one = before.all[box.id + " " + box.dataset.key];
      if (one) { part(box, "text").value = one[0]; part(box, "kind").value = one[1]; }
    });
  }
  function tell(words) {
    var n = filled().length;
    var text = words || (n ? state.dataset.some.replace("{n}", n) : state.dataset.none);
    state.textContent = text + (keeps ? "" : " " + state.dataset.kept);
  }

  // A spreadsheet program takes these beginnings for formulas; an apostrophe says that the cell is text.
  function inert(text) { return /^'*(\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r])/.test(text) ? "'" + text : text; }
  function cell(text) { return '"' + inert(String(text)).replace(/"/g, '""') + '"'; }
  function today() {
    var now = new Date();
    function two(n) { return (n < 10 ? "0" : "") + n; }
    return now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
  }
  function csv() {
    var rows = filled().map(function (box) {
      var about = box.dataset;
      return [box.id, about.chapter, part(box, "said").textContent, about.grade, about.verdict, part(box, "text").value.trim(),
        who.value.trim(), part(box, "kind").value, today(), about.key];
    });
    return "\ufeff" + [HEADS].concat(rows).map(function (row) { return row.map(cell).join(",") + "\r\n"; }).join("");
  }
  function save() {
    if (!filled().length) { tell(); return; }
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
    link.download = form.dataset.file;
    document.body.appendChild(link);
    link.click();
    document.body.removeChild(link);
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    tell(state.dataset.saved.replace("{file}", form.dataset.file));
  }
  function clear() {
    if (!window.confirm(document.getElementById("clear").dataset.ask)) { return; }
    form.reset();
    keep();
  }

  form.addEventListener("submit", function (event) { event.preventDefault(); });
  form.addEventListener("input", keep);
  document.getElementById("save").addEventListener("click", save);
  document.getElementById("clear").addEventListener("click", clear);
  resume();
  tell();
})();
