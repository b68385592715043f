// digitnet.hpp: all of digitnet, in the order in which to learn it.
#pragma once

// clang-format off
#include <digitnet/version.hpp>
#include <digitnet/error.hpp>
#include <digitnet/tensor.hpp>
#include <digitnet/parallel.hpp>
#include <digitnet/random.hpp>
#include <digitnet/idx.hpp>
#include <digitnet/dataset.hpp>
#include <digitnet/drawing.hpp>
#include <digitnet/picture.hpp>
#include <digitnet/preprocess.hpp>
#include <digitnet/augment.hpp>
#include <digitnet/activation.hpp>
#include <digitnet/loss.hpp>
#include <digitnet/initializer.hpp>
#include <digitnet/layer.hpp>
#include <digitnet/network.hpp>
#include <digitnet/optimizer.hpp>
#include <digitnet/schedule.hpp>
#include <digitnet/metrics.hpp>
#include <digitnet/trainer.hpp>
#include <digitnet/range_test.hpp>
#include <digitnet/serialization.hpp>
#include <digitnet/run.hpp>
#include <digitnet/inference.hpp>
#include <digitnet/explain.hpp>
#include <digitnet/recognition.hpp>
// clang-format on
