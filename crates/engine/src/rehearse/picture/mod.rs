//! Rehearsed rollouts as a picture: SVG without scripts, in the colours that the reader's screen prefers.

mod axes;

use std::fmt::Write as _;
use std::time::Duration;

use axes::Panel;

use super::course::Course;
use super::rollout::Rollout;

/// What a picture shows.
#[derive(Debug, Clone, Copy)]
pub struct Pictured<'a> {
    /// What is played, in a line.
    pub title: &'a str,
    /// By what, in a line.
    pub subtitle: &'a str,
    /// The new version.
    pub candidate: &'a str,
    /// The one that it replaces.
    pub stable: &'a str,
    /// What goes wrong.
    pub fault: &'a str,
    /// The planned course.
    pub course: &'a Course,
    /// Rollouts in which it goes wrong.
    pub with_fault: &'a [Rollout],
    /// The same while nothing does.
    pub without_fault: &'a [Rollout],
}

const WIDTH: u32 = 960;
const HEIGHT: u32 = 420;
/// Points of a curve at most.
const POINTS: u32 = 400;

const STYLE: &str = "\
  .paper { fill: #ffffff } .ink { fill: #1f2328 } .quiet { fill: #59636e } .grid { stroke: #d1d9e0 }
  .stable { fill: #b6c6d9 } .candidate { fill: #2f6fde } .fault { stroke: #cf222e } .none { stroke: #57606a }
  text { font: 13px system-ui, sans-serif } .title { font-size: 18px; font-weight: 600 } .head { font-weight: 600 }
  .curve { fill: none; stroke-width: 2.5; stroke-linejoin: round } .none { stroke-dasharray: 5 4 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117 } .ink { fill: #e6edf3 } .quiet { fill: #9198a1 } .grid { stroke: #30363d }
    .stable { fill: #33475e } .candidate { fill: #4493f8 } .fault { stroke: #ff7b72 } .none { stroke: #adbac7 }
  }
";

/// The planned split over time, and beside it the share of the rollouts that have been taken back, with the fault and without.
pub fn picture(pictured: &Pictured<'_>) -> String {
    let end = last_time(pictured);
    let [split, taken_back] =
        [70.0, 550.0].map(|left| Panel { left, top: 110.0, width: 370.0, height: 210.0, end });
    let (title, subtitle) = (escaped(pictured.title), escaped(pictured.subtitle));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
         <text class=\"ink title\" x=\"24\" y=\"34\">{title}</text>\n<text class=\"quiet\" x=\"24\" y=\"58\">{subtitle}</text>\n"
    );
    svg.push_str(&split_panel(&split, pictured));
    svg.push_str(&curves_panel(&taken_back, pictured));
    svg.push_str("</svg>\n");
    svg
}

/// Where the time ends: with the plan, or with the last rollout that was taken back.
fn last_time(pictured: &Pictured<'_>) -> Duration {
    let rollouts = pictured.with_fault.iter().chain(pictured.without_fault);
    let times = rollouts.filter_map(|rollout| Some(rollout.taken_back.as_ref()?.after));
    times.fold(pictured.course.after_first_request, Duration::max).max(Duration::from_secs(1))
}

fn split_panel(panel: &Panel, pictured: &Pictured<'_>) -> String {
    let (bottom, right) = (panel.y(0.0), panel.x(panel.end));
    let mut area = format!("M{:.1},{bottom:.1}", panel.left);
    for stage in &pictured.course.stages {
        // Writing to a string does not fail; nor does it below.
        let _ = write!(area, " H{:.1} V{:.1}", panel.x(stage.at), panel.y(f64::from(stage.share) / 10_000.0));
    }
    let _ = write!(area, " H{right:.1} V{bottom:.1} Z");
    let Panel { left, top, width, height, .. } = *panel;
    let mut svg = format!(
        "<rect class=\"stable\" x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>\n<path class=\"candidate\" d=\"{area}\"/>\n"
    );
    svg.push_str(&panel.axes("Share of the traffic, as planned"));
    let legend = [("candidate", pictured.candidate), ("stable", pictured.stable)];
    for (row, (class, name)) in legend.into_iter().enumerate() {
        let y = panel.legend(row);
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{:.1}\" width=\"24\" height=\"12\"/>\n<text class=\"ink\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>\n",
            y - 11.0,
            left + 34.0,
            escaped(name)
        );
    }
    svg
}

fn curves_panel(panel: &Panel, pictured: &Pictured<'_>) -> String {
    let mut svg = panel.axes("Share of the rollouts taken back so far");
    let curves =
        [("none", "nothing wrong", pictured.without_fault), ("fault", pictured.fault, pictured.with_fault)];
    for (row, (class, name, rollouts)) in curves.into_iter().rev().enumerate() {
        let y = panel.legend(row);
        let taken_back = rollouts.iter().filter(|rollout| rollout.taken_back.is_some()).count();
        let _ = write!(
            svg,
            "<path class=\"curve {class}\" d=\"{}\"/>\n<path class=\"curve {class}\" d=\"M{:.1},{:.1} h24\"/>\n<text class=\"ink\" x=\"{:.1}\" y=\"{y:.1}\">{}: {taken_back} of {} taken back</text>\n",
            curve(panel, rollouts),
            panel.left,
            y - 4.5,
            panel.left + 34.0,
            escaped(name),
            rollouts.len()
        );
    }
    svg
}

/// How the share of those taken back rises.
#[expect(clippy::cast_precision_loss, reason = "numbers of rollouts are far below 2^52")]
fn curve(panel: &Panel, rollouts: &[Rollout]) -> String {
    let mut times: Vec<Duration> =
        rollouts.iter().filter_map(|rollout| Some(rollout.taken_back.as_ref()?.after)).collect();
    times.sort_unstable();
    let mut path = format!("M{:.1},{:.1}", panel.left, panel.y(0.0));
    let mut drawn = 0;
    for point in 1..=POINTS {
        let time = panel.end * point / POINTS;
        let so_far = times.partition_point(|taken| *taken <= time);
        if so_far > drawn {
            drawn = so_far;
            let share = so_far as f64 / rollouts.len() as f64;
            let _ = write!(path, " H{:.1} V{:.1}", panel.x(time), panel.y(share));
        }
    }
    let _ = write!(path, " H{:.1}", panel.x(panel.end));
    path
}

/// Text that XML does not mistake for its own.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_becomes_markup() {
        assert_eq!(escaped("a <b> & \"c\"\u{0}"), "a &lt;b&gt; &amp; &quot;c&quot; ");
    }
}
