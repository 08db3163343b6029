// Django names the question marks of its two-sided choice, but gives them no role that can have a name.
addEventListener("load", () => {
  document.querySelectorAll("span.help-tooltip[aria-label]").forEach((mark) => { mark.role = "img"; });
});
