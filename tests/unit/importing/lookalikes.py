"""Texts of our own making that are built like five real policies, faults included. No word is anybody else's."""

# Unnumbered: headings are short lines, bullets below a paragraph, a version table, two fields on one row.
BULLETED = """

Kites and Balloons

Lead Reviewer: **Ada Fennimore**

Who this is aimed at: **Everybody on the moor**

Version\tReason for Change
1\t
2\tWardens' meeting: wind limits – see page four Frequency of review: every spring

Frequency of review\t3 years\tReview due\tApril 2031
----------------\t----\t------\t------

Here we set out how kites are flown on the moor, by whom, and when they come down again.

Please keep these leaflets beside this one:

- Wind leaflet
- String leaflet

What a kite is

A kite is any light frame that flies on a string, whatever its shape, colour or number of tails.

Accidents come in several kinds, which we sort as follows when we write them into the moor book:

String

- Tangled (round a person or a goat).
- Torn (lost over the ridge).

Frame

- Bent (after a fall).
- Burnt (too near a fire).

Flying inside the walls

Wardens *must be* told before a kite goes up inside the walls, and they write down who holds it:

- Name of the flyer.
- Things carried on the string:
 - Lamps.
 - Bells.
- Time of day.

Nobody flies a kite from a roof, a ladder or the back of a goat while the market is being held.
"""

# Unnumbered, with a motto, a table with a column of dates, an empty change log, a lost number and a broken sentence.
MOTTO = """
Up and up we...
Wind | Wool | Wonder

Lantern Policy


\t\tDate
Reviewed by:\tWardens & Keepers\tMay 2030
Authorised by:\tKeepers\t
Date for next review: (or sooner if the moor demands it)\tMay 2031\t

Change Log\t

Why We Light Lanterns

Highmoor Village has lit lanterns at dusk for as long as the oldest keeper can remember doing it.

The keeper is responsible for:

- Filling every lantern.

- Counting the lanterns at dawn.

Dark Evenings

On dark evenings the lanterns stay lit until the last walker is home and the gate is shut. 17. If the gate \
sticks, the keeper calls the smith.

Where a lantern has gone out before its time and no walker has

been seen, the keeper walks the ridge with a second lantern. The form is [here](#).

Shared Duties of Keepers and Wardens on Long Winter Nights

Keepers and wardens take turns on long nights, and neither may ask the other for two nights in a row.

Looking Again

We look at this again in spring, and the spring after that
"""

# Decimals, a contents page, capitals, appendices, glyphs, a form with tick boxes and a table inside a table.
DECIMALS = """
Goats and Gates (CIC)
Independent Herd & Winter Byre

**GOAT KEEPING POLICY MARCH
2031**

CONTENTS PAGE

1. Purpose
2. Herding
3. Breaches of rules

Appendix A: Requirements for building a byre on behalf of
Goats and Gates

Appendix B: Byre Building Form

1 PURPOSE

- 1.1 Goats are kept for their milk, their wool and their company, and each *herder* knows every goat by name.
- 1.2 Herders carry a crook. This protects the herder, the goat and the

fence between them on windy days. A crook is made of:

- ✦ Ash, or
- ✦ hazel, and ✦ never pine.

1.3 Crooks are kept in:

- ✦ The byre
 - ✦ The loft
 - ✦ The cart, and
 - ✦ The chapel.

2 HERDING

2.1 Goats go up before noon (see sections 1, 3 and Appendix A).

2.2.1 A herder who meets another herd waits below it.

2.2.2 A herder who meets a bull goes home.

2.3 Goats come down before dusk.

3 BREACHES OF THE RULES

3.1 A herder who breaks these rules loses the crook for a week.

APPENDIX A

Requirements for building a byre on behalf of Goats and Gates

A.1 CHOOSING A PLACE

A.1.1 A byre stands out of the wind.

A.1.2 A byre stands near water.

A.2 ROOF

- A.2.1 The roof is made of turf.
- A.2.2 The roof is mended in summer.

APPENDIX B

Goats and Gates


Byre Building Form

Nobody builds a byre before this form has been read by two wardens.

Please bring this form to the warden's door
GAG/Rules/Goat Rules/GAG/May 2030/Next look May2031

HERD DETAILS

Name of herd\t
Name of herder\t

WHO WILL USE THE BYRE

Put a tick beside each that fits.

<input type="checkbox"/>\tKids
<input type="checkbox"/>\tOld goats
<input type="checkbox"/>\t

\tStray sheep
\tOthers; please name them

BUILDING

Who will carry the stones?\t\t\t\t
Who will own the byre?\t<table border="1" style="width: 100%;"> <tr> <td style="width: 3px;"></td> \
<td>The whole village of Highmoor</td> </tr> <tr> <td></td> <td>One herder</td> </tr> </table>\t\t\
The whole village of Highmoor\t
\tThe whole village of Highmoor\t\t\t

LEAVE TO BUILD

(two wardens must read this form before a stone is laid).

\tName\t
Herder\tSignature\t

<u>Warden</u>\tDate\t
"""

# 1. / 1.1 / a): numbers printed twice, numbers of another section, a stray "o", unnumbered lines after an appendix.
MIXED = """
Bell Ringing Policy

March 2031

Produced by the Tower: Ropes Team V3.0\t\twww.bells.example
School:\tST OSWIN'S MOORSIDE SCHOOL\t
Signed by Chair of Keepers:\t\t
Signed by Head Ringer:\t\t
Date:\t3.4.31\t

1. Beginning

- 1.1 Bells are rung at dawn, at noon and at dusk by ringers who have climbed the tower before.
- 1.2 Ringers read this together with the rope leaflet.

2. Meaning

- 2.2 A bell is any cast vessel that is struck from the inside.
- 2.2 This takes in hand bells, cow bells and the chapel's old cracked one.

3. Ringing for Others

- 3.1 A ringer who rings for another tower *must not*:
 - a) Ring louder than the tower's own ringers
 - b) Leave the ropes wet
 - c) Carry off a rope
- 3.2 A ringer asks before climbing.

- 3.3 A ringer leaves the tower last.

4. Use of bells in fog

4.1 In fog the bell is rung every quarter of an hour, as told further in Appendix 1.

5. Silence

- 4.1 A ringer who breaks any of a-c in section 3.1 is sent down the tower.
- 4.2 A second time, the ringer stays down.

Appendix 1

Ringing in Fog

Fog comes up from the lake so quickly that walkers lose the path within sight of their own doors.

If you lose the path

- Stand still and listen for the bell.
- o If you hear it, walk towards it slowly.
- Sit down if you hear nothing.

Further words on fog are kept by the lake warden in the blue book.
"""

# 1. / a. / i. with marks: sub-headings that do not restart the letters, a page's foot, merged bullets, broken nesting.
LETTERS = """
**HIGHMOOR**\x20\x20
Village Trust

# Wool Gathering Policy

<b>Review Period:</b>\t<b>Yearly</b>
<b>Person Responsible For Policy:</b>\t<b>Wool Warden</b>
<b>Governing Committee:</b>\t<b>Wool Board</b>
<b>Date of Keepers Approval:</b>\t<b>2031</b>
<b>Date for Review:</b>\t<b>2032</b>

## **1. Beginning**

- a. Wool is gathered from hedges, never from a goat that has not agreed.
- b. The wool board will:
  - i. weigh the wool
  - ii. share it out
- c. “Wool” means all that grows on goats.

## **2. Who gathers?**

- a. Everybody gathers.

#### **3. Gathering**

- a. Gatherers go in pairs.
- b. Gatherers carry a sack.

### *Hedges*

- c. Hedges are left as they were found.
- d. Hedges are told thank you:
  - i. aloud by the first gatherer
  - ii. quietly by the second. o Not both at once
  - iii. before noon. 4th March 2031\x20\x20
12
  - iv. without hurry
- e. Thorns stay where they are.
- f. Nests stay too.
- g. Eggs stay in nests.
- h. Gatherers whistle.
- i. Gatherers stop whistling near nests.

### *Lofts*

- j. Lofts are swept.
  - i. Sweeping is done at noon.

- ii. Sweepings go to the birds.
- k. Lofts are locked.

## **4. Old rules**

- a. These rules were thought of:
  - i. Wool Rule 1931
"""

ALL = {"bulleted": BULLETED, "motto": MOTTO, "decimals": DECIMALS, "mixed": MIXED, "letters": LETTERS}
