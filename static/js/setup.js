// The time zone of a venue is most often that of whoever sets it up, and its country follows the zone.
const zone = document.querySelector("[data-guess=zone]");
const country = document.getElementById("id_country");
let isChosen = Boolean(country?.value);

function follow() {
  const found = zone.selectedOptions[0]?.dataset.country;
  if (!isChosen && found && country) country.value = found;
}

if (zone) {
  country?.addEventListener("change", () => { isChosen = true; });
  zone.addEventListener("change", follow);
  if (!zone.value) {
    const mine = Intl.DateTimeFormat().resolvedOptions().timeZone;
    // A name that the list doesn't have would leave nothing chosen.
    if ([...zone.options].some((option) => option.value === mine)) zone.value = mine;
  }
  follow();
}
