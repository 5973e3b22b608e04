//! The values that a `TensorBoard` event can carry.

use tensorboard_proto::summary::{HistogramProto, Summary_Image, Summary_Value, SummaryMetadata};
use tensorboard_proto::tensor::TensorProto;
use tensorboard_proto::tensor_shape::{TensorShapeProto, TensorShapeProto_Dim};
use tensorboard_proto::types::DataType;

use crate::figure::Png;

fn tagged(tag: &str) -> Summary_Value {
    let mut value = Summary_Value::new();
    value.set_tag(tag.to_owned());
    value
}

/// A point of a curve.
pub fn scalar(tag: &str, scalar: f64) -> Summary_Value {
    let mut value = tagged(tag);
    value.set_simple_value(scalar as f32);
    value
}

/// Text in Markdown.
pub fn text(tag: &str, markdown: String) -> Summary_Value {
    tensor(tag, "text", markdown.into_bytes())
}

/// Bytes that one of the pages reads: a tensor of one string.
pub fn tensor(tag: &str, page: &str, bytes: Vec<u8>) -> Summary_Value {
    let mut dimension = TensorShapeProto_Dim::new();
    dimension.set_size(1);
    let mut shape = TensorShapeProto::new();
    shape.mut_dim().push(dimension);
    let mut tensor = TensorProto::new();
    tensor.set_dtype(DataType::DT_STRING);
    tensor.set_tensor_shape(shape);
    tensor.mut_string_val().push(bytes);
    let mut value = plugin(tag, page, Vec::new());
    value.set_tensor(tensor);
    value
}

/// What one of the pages reads from the metadata alone.
pub fn plugin(tag: &str, page: &str, content: Vec<u8>) -> Summary_Value {
    let mut metadata = SummaryMetadata::new();
    metadata.mut_plugin_data().set_plugin_name(page.into());
    metadata.mut_plugin_data().set_content(content);
    let mut value = tagged(tag);
    value.set_metadata(metadata);
    value
}

/// A picture.
pub fn image(tag: &str, png: Png) -> Summary_Value {
    let mut image = Summary_Image::new();
    image.set_width(png.width as i32);
    image.set_height(png.height as i32);
    image.set_colorspace(3);
    image.set_encoded_image_string(png.bytes);
    let mut value = tagged(tag);
    value.set_image(image);
    value
}

/// A histogram of log10 of the importance of some parameters.
///
/// Importance spans many orders of magnitude: on a linear axis all but the few largest values share one bucket.
pub fn log_histogram(tag: &str, importance: &[f32]) -> Summary_Value {
    const LOWEST: f64 = -12.0;
    // No f32 is larger but infinity, which must not ask for endless buckets.
    const HIGHEST: f64 = 39.0;
    const BUCKETS_PER_DECADE: f64 = 10.0;

    let logs: Vec<f64> = importance
        .iter()
        .filter(|importance| **importance >= 0.0)
        .map(|&importance| f64::from(importance).log10().clamp(LOWEST, HIGHEST))
        .collect();
    let min = logs.iter().copied().fold(f64::INFINITY, f64::min);
    let max = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut histogram = HistogramProto::new();
    if !logs.is_empty() {
        let first = (min * BUCKETS_PER_DECADE).floor();
        let mut counts = vec![0.0; ((max * BUCKETS_PER_DECADE).floor() - first) as usize + 1];
        for log in &logs {
            counts[((log * BUCKETS_PER_DECADE).floor() - first) as usize] += 1.0;
        }
        let limits = (1..=counts.len()).map(|bucket| (first + bucket as f64) / BUCKETS_PER_DECADE).collect();
        histogram.set_min(min);
        histogram.set_max(max);
        histogram.set_num(logs.len() as f64);
        histogram.set_sum(logs.iter().sum());
        histogram.set_sum_squares(logs.iter().map(|log| log * log).sum());
        histogram.set_bucket_limit(limits);
        histogram.set_bucket(counts);
    }
    let mut value = tagged(tag);
    value.set_histo(histogram);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn histograms_count_every_parameter_in_decades() {
        let value = log_histogram("t", &[1.0, 1.0, 0.015, 0.0, f32::INFINITY]);
        let histogram = value.get_histo();
        assert_eq!((histogram.min, histogram.max, histogram.num), (-12.0, 39.0, 5.0));
        assert_eq!(histogram.bucket.len(), histogram.bucket_limit.len());
        let counted: Vec<(f64, f64)> = histogram
            .bucket_limit
            .iter()
            .copied()
            .zip(histogram.bucket.iter().copied())
            .filter(|(_, count)| *count > 0.0)
            .collect();
        assert_eq!(counted, [(-11.9, 1.0), (-1.8, 1.0), (0.1, 2.0), (39.1, 1.0)]);
        assert_eq!(log_histogram("t", &[1.0; 3]).get_histo().bucket, [3.0]);
        assert_eq!(log_histogram("t", &[f32::NAN, -1.0]).get_histo().num, 0.0);
    }
}
