// What a page gains with JavaScript; every page works without it.
(function () {
  "use strict";

  function typing(target) {
    return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
  }

  // "/" and Ctrl+K lead to the search box.
  document.addEventListener("keydown", function (event) {
    var slash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target);
    var ctrlK = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey;
    var box = document.getElementById("ob-search");
    if (box && (slash || ctrlK)) {
      event.preventDefault();
      box.focus();
      box.select();
    }
    if (event.key === "Escape") {
      document.querySelectorAll("details.ob-menu[open]").forEach(function (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
      });
    }
  });

  // The menu scrolls by itself, on a telephone as one long row: the page one is on comes into view.
  var rail = document.querySelector(".ob-rail");
  var here = rail && rail.querySelector('[aria-current="page"]');
  if (here && here.offsetLeft + here.offsetWidth > rail.clientWidth) {
    rail.scrollLeft = here.offsetLeft - (rail.clientWidth - here.offsetWidth) / 2;
  }
  if (here && here.offsetTop + here.offsetHeight > rail.clientHeight) {
    rail.scrollTop = here.offsetTop - (rail.clientHeight - here.offsetHeight) / 2;
  }

  // A form that comes back begins where it has to be mended.
  var wrong = document.querySelector('main [aria-invalid="true"]');
  if (wrong) {
    if (wrong.closest("details")) wrong.closest("details").open = true;
    wrong.focus();
  }

  // A click beside an open menu closes it.
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.ob-menu[open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  // A form goes out once, also when the button is pressed twice; coming back by "back" it may go again.
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (form.method !== "post" || form.target === "_blank" || event.defaultPrevented || "many" in form.dataset) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      form.removeAttribute("aria-busy");
    });
  });

  // <button data-dialog="id"> opens <dialog id>; without JavaScript the button is a link to the page that asks.
  document.addEventListener("click", function (event) {
    var opener = event.target.closest("[data-dialog]");
    var dialog = opener && document.getElementById(opener.dataset.dialog);
    if (dialog && dialog.showModal) {
      event.preventDefault();
      dialog.showModal();
    }
    if (event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      event.target.closest("dialog").close();
    }
  });

  // A checkbox with data-check-all ticks the boxes of that name in its form.
  document.addEventListener("change", function (event) {
    var box = event.target;
    if (box.dataset && box.dataset.checkAll) {
      var scope = box.form || document;
      scope.querySelectorAll('input[type="checkbox"][name="' + box.dataset.checkAll + '"]').forEach(function (one) {
        one.checked = box.checked;
      });
    }
    if (box.dataset && "autosubmit" in box.dataset && box.form) box.form.requestSubmit();
  });

  // "Copy" beside a value, "print" on a page made for paper. The browser lends the clipboard to scripts alone.
  if (navigator.clipboard) {
    document.querySelectorAll("[data-copy][hidden]").forEach(function (copier) {
      copier.hidden = false;
    });
  }
  document.addEventListener("click", function (event) {
    var copier = event.target.closest("[data-copy]");
    if (copier && navigator.clipboard) {
      var source = document.getElementById(copier.dataset.copy);
      navigator.clipboard.writeText(source.value || source.textContent.trim());
      copier.textContent = copier.dataset.copied || copier.textContent;
    }
    if (event.target.closest("[data-print]")) window.print();
  });
})();
