# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bài tập, trả lời bằng thí nghiệm
#
# [English](exercises_en.ipynb)
#
# Mục 11.15 của *Đắm mình vào Học Sâu* kết thúc bằng năm bài tập; phần tóm tắt của mục còn khuyên
# dùng một bộ định thời mà cả mục không hề chạy thử. Notebook này trả lời cả sáu câu, và không câu
# nào trả lời bằng cảm tính: số liệu lấy từ những lần chạy đã lưu, với nhiều hạt giống ngẫu nhiên,
# kèm lời nói rõ chừng ấy hạt giống phân định được gì và không phân định được gì. Trước khi đọc tiếp
# mỗi phần, hãy tự hỏi mình câu hỏi ấy và ghi lại dự đoán. Đoán sai rồi mới biết vì sao, học được
# nhiều hơn đọc sẵn đáp án. **Thời gian:** khoảng 90 phút.
#
# Bạn nên đọc trước notebook [Định thời tốc độ học](lr_scheduling_vi.ipynb). Hình và bảng dựng từ
# kết quả đã lưu, chỉ mất vài giây; riêng một ô ở phần 6 huấn luyện thật hai epoch. Lệnh
# `d2l-lrsched exercises` chạy lại tất cả từ đầu, mất hai giờ trên hai nhân.

# %%
# %matplotlib inline
# %config InlineBackend.figure_format = "retina"
import itertools
import pickle
from statistics import fmean

import mxnet as mx
import numpy as np
import pandas as pd
from d2l import mxnet as d2l
from IPython.display import display
from mxnet import gluon, npx

import d2l_lrsched as lrs
from d2l_lrsched.runs import frames, record
from d2l_lrsched.studies.chapter.builds import draws, measures
from d2l_lrsched.studies.chapter.builds import tables as builds_tables
from d2l_lrsched.studies.chapter.verdicts import distinct
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import figures
from d2l_lrsched.studies.exercises import page as tables
from d2l_lrsched.translation import Words

npx.set_np()
words = Words("vi")
runs = record.read("../figures/exercises/runs.jsonl")
chapter = record.read("../figures/chapter/runs.jsonl")
baseline = distinct(run for run in chapter if run.num_epochs == 30)
len(runs), len(baseline)

# %% [markdown]
# ## Cách đọc các bảng
#
# Có ba loại bảng xuất hiện nhiều lần. Loại thứ nhất: mỗi thí nghiệm một hàng.
#
# - *sụp đổ*: trong số các lần chạy, bao nhiêu lần sụp đổ, tức khi kết thúc mạng cho mọi ảnh cùng
#   một bộ điểm (chênh nhau chưa tới 0.01), hoặc tính toán ra số không còn hữu hạn. Cột bên cạnh là
#   khoảng tin cậy 95 % chính xác của tỷ lệ sụp đổ: ít lần chạy thì biết được rất ít về tỷ lệ thật.
# - *mất mát huấn luyện* và *độ chính xác kiểm tra*: sau epoch cuối, trung bình ± độ lệch chuẩn, chỉ
#   tính những lần không sụp đổ (các dòng in ra và các hình gọi chúng là *học được*).
# - *lần tốt nhất*: độ chính xác kiểm tra cao nhất lúc kết thúc trong mọi lần chạy.
#
# Loại thứ hai so *mạng nào sụp đổ*: số lần sụp đổ ở thí nghiệm này và ở thí nghiệm kia, giá trị p
# của kiểm định chính xác Fisher, đã hiệu chỉnh Holm theo số hàng của bảng (cả hai được giải thích ở
# [gọt gradient](gradient_clipping_vi.ipynb)), và nếu nó nhỏ hơn 0.05 thì ở bên nào ít mạng sụp đổ
# hơn.
#
# Loại thứ ba so hai thí nghiệm theo *từng hạt giống*, tức cùng tham số ban đầu, cùng thứ tự
# minibatch. Bảng ghi hiệu trung bình của độ chính xác kiểm tra (chỉ tính những cặp mà cả hai lần
# đều học được), khoảng tin cậy 95 % của hiệu ấy, và bên nào cao hơn nếu khoảng không chứa 0; còn
# không thì *chưa ngã ngũ*. Mỗi khoảng chỉ trả lời cho
# riêng nó: cứ hai mươi phép so không hề có khác biệt thật thì trung bình vẫn có một khoảng không
# chứa 0.
#
# Năm hạt giống đầu đã được xem trước khi chạy mười lăm hạt giống sau. Vì thế cột cuối ghi kết luận
# của riêng mười lăm hạt giống sau. Chỗ nào hai bên khác nhau thì chỉ cột cuối được tính.

# %%
constant = [run for run in baseline if run.experiment == "constant"]


def answers(exercise):
    return words.table(tables.answers(frames.of_runs(runs), exercise))


def collapses(exercise):
    return words.table(tables.collapses(frames.of_runs(runs), exercise))


def differences(exercise):
    return words.table(tables.differences(frames.of_runs(runs), exercise))


# %% [markdown]
# ## 1. Với tốc độ học cố định, tốt nhất được đến đâu?
#
# Đề bài: giữ nguyên tốc độ học suốt quá trình; kết quả tốt nhất là bao nhiêu? Ta cho LeNet học 8
# epoch ở mỗi giá trị trong sáu giá trị từ 0.03 đến 1.0, mỗi giá trị hai mươi hạt giống. Con số 0.3
# của sách nằm ở khoảng giữa. Bạn đặt cược vào giá trị nào, và ở hai đầu sẽ có chuyện gì?

# %%
words.figure(figures.FIGURES["1-fixed-rate.svg"](runs))

# %% [markdown]
# Bên trái là tỷ lệ sụp đổ, vạch xám là khoảng tin cậy; bên phải mỗi chấm là một mạng không sụp đổ,
# gạch ngang là trung bình của chúng.

# %%
display(answers(exercises.FIXED))
display(collapses(exercises.FIXED))
differences(exercises.FIXED)

# %% [markdown]
# - **Nhỏ quá thì chậm.** Từ 0.03 đến 0.3, mất mát huấn luyện giảm dần. Từ 0.03 đến 0.1, độ chính
#   xác kiểm tra tăng theo; từ 0.1 đến 0.3 nó có còn tăng không thì chưa ngã ngũ. Cho thêm epoch thì
#   những giá trị nhỏ có thể đuổi kịp; trong 8 epoch thì không.
# - **Lớn quá thì sụp đổ.** Mỗi tốc độ học có 20 mạng: ở 0.3 không mạng nào sụp đổ, ở 0.5 có 8 mạng,
#   ở 0.7 có 14 mạng, ở 1.0 có 18 mạng. Mà những mạng không sụp đổ ở 0.5, so từng hạt giống, lại kém
#   hơn ở 0.3: chịu thêm rủi ro nhưng chẳng được thêm gì.
# - **Bờ vực ở ngay bên cạnh.** Giá trị có trung bình cao nhất, 0.3 (cao hơn 0.1 thật hay không thì
#   chưa ngã ngũ), cũng là giá trị cuối cùng mà chưa mạng nào sụp đổ (phần 2 sẽ cho thấy ngay cả nó
#   cũng chưa hẳn an toàn). Vì thế mới có chuyện định thời: nó cho phép dùng tốc độ học như vậy
#   trong lúc còn có ích.
#
# Nhớ nhìn khoảng tin cậy. Dù không lần nào trong 20 lần chạy sụp đổ, tỷ lệ thật vẫn có thể lên tới
# một phần sáu! Tính tất cả các hạt giống thì ở 0.5 nhiều mạng sụp đổ hơn ở 0.3; tính riêng mười lăm
# hạt giống sau thì còn thiếu một chút mới ngã ngũ, mà chỉ chúng được tính. Từ 0.5 đến 1.0 cũng chưa
# bước nào ngã ngũ. Còn từ đầu này đến đầu kia tỷ lệ có tăng thì chẳng ai nghi ngờ.
#
# Vậy mô hình nào tốt nhất? Cột *lần tốt nhất* của bảng đầu có câu trả lời, nhưng là câu trả lời lạc
# quan quá mức: mạng thắng cuộc được chọn *theo chính độ chính xác kiểm tra*, nên một phần lý do nó
# được chọn là vận may, may nhờ đúng tập ảnh này và may nhất thời, vì độ chính xác lên xuống thất
# thường qua từng epoch. Cái may nhất thời thì có thể chỉ ra được. Ta có mười lần chạy ở 0.3 kéo dài
# đến 30 epoch. Hãy so chúng sau 8 epoch và sau 30 epoch: trung bình, cao nhất, khoảng cách giữa
# huấn luyện và kiểm tra. Rồi chọn mạng dẫn đầu sau 8 epoch, xem nó hơn mức trung bình bao nhiêu lúc
# ấy, và bao nhiêu lúc cuối.

# %%
early, late = ([run.epochs[n - 1] for run in constant] for n in (8, 30))
for n, epochs in ((8, early), (30, late)):
    accuracies = [epoch.test_acc for epoch in epochs]
    gap = fmean(epoch.train_acc - epoch.test_acc for epoch in epochs)
    words.print(
        f"{n:2} epochs: mean {fmean(accuracies):.4f}, best {max(accuracies):.4f}, gap {gap:.4f}"
    )
winner = max(range(len(early)), key=lambda i: early[i].test_acc)
leads = [e[winner].test_acc - fmean(x.test_acc for x in e) for e in (early, late)]
words.print("the early winner is ahead of the mean by {:+.4f}, then {:+.4f}".format(*leads))

# %% [markdown]
# - **Học lâu hơn thì khá hơn một chút**, ở phần lớn hạt giống. Nhưng khoảng cách giữa huấn luyện và
#   kiểm tra rộng ra ở mọi hạt giống: trong những gì học thêm, phần lớn chỉ có ích cho các ảnh huấn
#   luyện.
# - **Vị thế dẫn đầu chủ yếu là may.** Đi đến cuối, mạng dẫn đầu mất phần lớn khoảng cách với mức
#   trung bình. Mà đó mới chỉ là may nhất thời; may với những ảnh này, vốn không đổi ở đây, còn phải
#   cộng thêm vào.
#
# Cách làm sòng phẳng: để riêng một số ảnh *huấn luyện* làm tập kiểm định (*validation*), chọn tốc
# độ học, số epoch và hạt giống theo tập ấy, rồi mới nhìn tập kiểm tra, một lần duy nhất, ở bước
# cuối.

# %% [markdown] tags=["question"]
# **Câu hỏi 1.** Các lần chạy ở cùng một tốc độ học chỉ khác nhau ở hạt giống. Nếu được huấn luyện
# năm mạng và giữ mạng tốt nhất theo tập kiểm định, thì hạt giống có phải là một siêu tham số như
# mọi siêu tham số khác không? Khi ấy bạn phải báo cáo những gì?

# %% [markdown] tags=["answer"]
# **Trả lời câu 1.** Hạt giống được chọn, nên nó là một phần của phương pháp. Hãy báo cáo: đã thử
# bao nhiêu hạt giống; chọn mạng tốt nhất theo tiêu chí nào; độ chính xác của mạng ấy trên tập kiểm
# tra (chỉ xem một lần); và trung bình cùng độ lệch chuẩn của tất cả các mạng.

# %% [markdown]
# ## 2. Số mũ suy giảm
#
# Quá trình hội tụ đổi ra sao khi ta đổi số mũ (sách gọi là lũy thừa giảm)? `PolyScheduler` của
# MXNet cho tốc độ học giảm từ $\eta_0$ về 0 ở cuối quá trình, sau $T$ bước cập nhật:
#
# $$\eta_t = \eta_0 \left(1 - \frac{t}{T}\right)^p.$$
#
# Với $p = 1$, đó là một đường thẳng. Khi $p \to 0$, tốc độ học ở nguyên $\eta_0$ cho đến tận phút
# chót: thành tốc độ học cố định, nên ta lấy nó làm mốc so sánh. Với $p$ lớn, tốc độ học tụt ngay từ
# đầu, và phần còn lại trôi qua ở những giá trị tí hon. Tí hon đến đâu thì tính ra được: tốc độ học
# nhỏ hơn một phần mười $\eta_0$ trong khoảng cuối dài $0.1^{1/p}$ của quá trình (cột thứ hai), và
# tổng mọi tốc độ học, tức "ngân sách bước đi" cho cả chặng đường, bằng $1/(p + 1)$ so với khi giữ
# cố định (cột thứ ba).

# %%
header = ("exponent", "share of the run below a tenth", "sum of the rates, constant = 1")
rows = [(f"{p:g}", f"{0.1 ** (1 / p):.2f}", f"{1 / (p + 1):.2f}") for p in exercises.EXPONENTS]
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# LeNet, 8 epoch, bắt đầu từ $\eta_0 = 0.3$, hai mươi hạt giống. Theo bạn, số mũ nào cho mất mát
# huấn luyện thấp nhất lúc kết thúc, và số mũ nào cho độ chính xác kiểm tra cao nhất?

# %%
words.figure(figures.FIGURES["2-exponent.svg"](runs))

# %% [markdown]
# Nét mảnh là từng lần chạy, nét đậm là trung bình qua các hạt giống học được; chú giải đếm những
# lần sụp đổ. Mất mát là trung bình của từng năm mươi minibatch.

# %%
display(answers(exercises.EXPONENT))
differences(exercises.EXPONENT)

# %% [markdown]
# - **Giảm nhanh quá thì mạng chưa kịp học.** Số mũ càng lớn, mất mát huấn luyện càng cao; với 2 và
#   4 thì còn cao hơn khi giữ tốc độ học cố định, 0.306 và 0.353 so với 0.277. Hãy nhìn các đường
#   của số mũ 4: suốt nửa sau chúng nằm ngang. Ngân sách đã hết trong khi vẫn còn điều để học. Độ
#   chính xác kiểm tra trung bình của nó thấp hơn khi giữ cố định một chút, nhưng điều đó chưa ngã
#   ngũ.
# - **Giảm chậm thì có ích.** Với hai số mũ 0.5 và 1, độ chính xác kiểm tra cao hơn khi giữ tốc độ
#   học cố định, trung bình 0.0198 và 0.0151, và cả hai khoảng tin cậy đều không chứa 0. Khác biệt
#   ấy không đến từ mất mát huấn luyện: 0.271 và 0.281 so với 0.277. Khi tốc độ học về 0, mạng ổn
#   định lại. (Một phần là do minibatch cuối epoch: nó chỉ có 96 ảnh, và ở tốc độ học cao, bước cập
#   nhật theo nó làm giảm độ chính xác ngay trước khi kiểm tra. Giảm bao nhiêu thì được đo, với mười
#   epoch, trong [Nên dùng bộ định thời nào?](lr_scheduling_vi.ipynb))
# - **Một bất ngờ.** Với số mũ 2, trong 20 mạng có 2 mạng sụp đổ ngay từ epoch đầu, tuy tốc độ học
#   của chúng không lúc nào vượt quá 0.3. Bảng hiệu số không tính những hạt giống này.
#
# Lần chạy in trong sách ở 0.3 cũng sụp đổ; trong phần 1 không lần nào của ta như vậy. Chuyện ấy có
# thường xảy ra không? Cho notebook [Định thời tốc độ học](lr_scheduling_vi.ipynb), ta đã chạy thêm
# nhiều lần trên GPU với tốc độ học cố định 0.3, mỗi lần 30 epoch; ở đó chúng được gọi là các *lượt
# rút*. Bảng đặt chúng cạnh các bản dựng của sách:

# %%
drawn = measures.of_draws(draws.read())
of_draws = builds_tables.collapse_table(drawn, measures.of_builds())
words.table(of_draws[of_draws.experiment == "constant"])

# %% [markdown]
# Vậy chính con số 0.3 cũng nằm sát bờ vực: với các hạt giống của ta, khoảng hai mươi mạng thì một
# mạng sụp đổ. Còn với những mạng sụp đổ ở số mũ 2 của ta, khó mà đổ tại tốc độ học giảm dần: muộn
# nhất là sau 150 bước chúng đã sụp đổ, mà đến lúc ấy tốc độ học giảm chưa tới một phần sáu. Điều in
# trong sách thì hiếm, nhưng không phải chuyện lạ đời.

# %% [markdown] tags=["question"]
# **Câu hỏi 2.** Giả sử được huấn luyện lâu gấp bốn. Số mũ nào được lợi nhiều nhất?

# %% [markdown] tags=["answer"]
# **Trả lời câu 2.** Số mũ lớn nhất. Nó tiêu ít nhất: tổng các tốc độ học chỉ bằng 1 / (p + 1) tổng
# khi giữ cố định, và chạy lâu gấp bốn thì tổng nào cũng gấp bốn. Ngân sách thiếu ở đâu thì ở đó
# được lợi nhiều nhất.

# %% [markdown]
# ## 3. Cô-sin và các bộ định thời khác, với một mạng sâu hơn
#
# Đề bài nhắc đến ImageNet: hơn một triệu bức ảnh thuộc một nghìn lớp. Nói thẳng: với hai nhân thì
# không với tới, và ta *đã không* làm việc đó. Việc làm được là thay LeNet bằng một mạng kiểu
# khác: một ResNet nhỏ ghép từ các khối phần dư (*residual block*) của sách (He và cộng sự, 2016),
# có chuẩn hóa theo batch, bảy phép tích chập nối tiếp nhau. Ảnh vẫn là Fashion-MNIST, chạy 3 epoch,
# mỗi bộ định thời ba hạt giống, tốc độ học cao nhất của mọi bộ định thời đều là 0.5:
#
# - *constant*: giữ nguyên 0.5;
# - *steps*: sau nửa chặng còn một phần mười, sau ba phần tư chặng còn một phần trăm;
# - *poly*: bình phương của thời gian còn lại, $p = 2$;
# - *cosine*: nửa chu kỳ cô-sin về đến 0 (Loshchilov và Hutter, 2016);
# - *warmup-cosine*: khởi động trong một phần mười đầu, sau đó là cô-sin.

# %%
words.figure(figures.FIGURES["3-deeper.svg"](runs))

# %%
display(answers(exercises.DEEPER))
differences(exercises.DEEPER)

# %% [markdown]
# - **Giảm tốc độ học là có lợi.** Với hạt giống nào cũng vậy, giữ cố định cho độ chính xác kiểm tra
#   thấp nhất lúc kết thúc, và khoảng tin cậy của hiệu cô-sin trừ cố định không chứa 0, dù chỉ có ba
#   cặp.
# - **Còn phải là *cô-sin* hay không thì ở đây hầu như không quan trọng.** Không phân biệt được nó
#   với *steps*, cũng như với người anh em có khởi động. *poly* thấp hơn nó một chút; tốc độ học của
#   *poly* nhỏ suốt phần lớn một quá trình vốn đã ngắn, mất mát huấn luyện cuối cùng cũng cao hơn,
#   nên có thể đơn giản là nó chưa đi được xa bằng.
# - **Không mạng nào sụp đổ**, ở một tốc độ học mà LeNet hay sụp đổ. Nghi can hiển nhiên là
#   chuẩn hóa theo batch, nhưng ta chưa thử mạng này khi bỏ nó đi.
#
# Được phép kết luận gì? Rằng với mạng này, những ảnh này và 3 epoch, tốc độ học giảm dần hơn tốc độ
# học không giảm. Không được phép kết luận gì? Bất cứ điều gì về ImageNet, về hàng trăm epoch, hay
# rằng cô-sin là bộ định thời tốt nhất. Bốn khoảng tin cậy, mỗi khoảng chỉ trả lời cho riêng nó, mỗi
# khoảng từ ba cặp: phần hơn nhỏ nhoi so với *poly* nên được thử thêm vài hạt giống rồi hãy tin.

# %% [markdown] tags=["question"]
# **Câu hỏi 3.** Các cấu hình huấn luyện có sẵn của GluonCV, thư viện thị giác máy tính của MXNet,
# huấn luyện ImageNet chừng một trăm epoch, có khởi động và cô-sin. Nếu có một tập dữ liệu khác,
# trong năm bộ định thời của mạng sâu hơn, bạn sẽ chạy lại bộ nào trước, và vì sao?

# %% [markdown] tags=["answer"]
# **Trả lời câu 3.** Câu hỏi mở. *steps*: nếu một lần nữa nó theo kịp cô-sin thì hình dạng cô-sin
# không phải là điều quan trọng. Hoặc *constant*: không có nó thì không biết giảm tốc độ học ở đó
# đáng giá bao nhiêu.

# %% [markdown]
# ## 4. Nên khởi động bao lâu?
#
# LeNet, 4 epoch: tốc độ học tăng đều từ 0 lên đỉnh, rồi giảm theo nửa chu kỳ cô-sin về 0. Thời gian
# khởi động chiếm 0, 0.02, 0.1 hoặc 0.4 quá trình; đỉnh là 0.5, 0.7 hoặc 1.0; trong phần 1, giữ cố
# định ở 0.7 thì phần lớn mạng sụp đổ, ở 1.0 thì gần như tất cả. Hai mươi hạt giống mỗi ô. Trong
# hình, hàng là thời gian khởi động, cột là đỉnh; bên trái là số lần sụp đổ, bên phải là độ chính
# xác kiểm tra trung bình của những mạng còn lại. Có phải khởi động càng lâu càng an toàn?

# %%
words.figure(figures.FIGURES["4-warmup.svg"](runs))

# %%
display(answers(exercises.WARMUP))
display(collapses(exercises.WARMUP))
differences(exercises.WARMUP)

# %% [markdown]
# - **Đỉnh 0.5**: trong 20 mạng, không khởi động thì sụp đổ 6, khởi động 0.02 thì 9, 0.1 thì 3, 0.4
#   thì 2.
# - **Đỉnh 0.7**: trong 20 mạng, không khởi động thì sụp đổ 15, 0.02 thì 17, 0.1 thì 10, 0.4 thì 7.
# - **Đỉnh 1.0**: khó mà cứu được. Theo thứ tự ấy, số mạng sụp đổ trong 20 mạng là 18, 19, 18 và 14.
# - **Khởi động ngắn quá thì không giúp gì.** Với 19 bước khởi động, ở cả hai đỉnh thấp hơn, số mạng
#   sụp đổ còn nhiều hơn khi không khởi động. Khởi động dài nhất thì ở đỉnh nào cũng ít mạng sụp đổ
# nhất. Nhưng trong những khác biệt về số mạng sụp đổ mà bảng kiểm định, chưa khác biệt nào ngã ngũ;
# bảng không so 0.4 với 0.02 và không có hàng nào ở đỉnh 1, mà đã xem số liệu rồi mới chọn thêm cặp
# để so thì không công bằng. Về độ chính xác thì có một khác biệt đã ngã ngũ: ở đỉnh 0.5, khởi động
# 0.1 cho độ chính xác cao hơn so với khởi động 0.02.
# - Ở đỉnh 0.7, sau khởi động dài nhất, có một mạng không sụp đổ mà hầu như chẳng học được gì: điểm
#   của nó có khác nhau, nhưng nó chỉ đoán đúng một phần sáu số ảnh. Theo định nghĩa của ta, nó
#   không sụp đổ nên vẫn được tính, và vì thế trung bình của hàng ấy bị kéo thấp xuống.
#
# Vì sao đỉnh đã quá cao thì khởi động bao lâu cũng không cứu được? Hãy hỏi xem các mạng ấy sụp đổ
# *thế nào*. Với mỗi mạng như thế, xem mất mát huấn luyện trung bình của từng năm mươi bước: có lúc
# nào xuống dưới một rưỡi, tức mạng đã học được chút gì, và tốc độ học ở lần cuối như thế là bao
# nhiêu (trong ngoặc là bước cập nhật)?

# %%
per_epoch = lrs.data.UPDATES_PER_EPOCH
ends = per_epoch * (np.arange(4)[:, None] + frames.WINDOW_ENDS).ravel()  # of 50 updates each
rows = []
for peak, warmup in itertools.product(exercises.PEAKS, exercises.WARMUPS):
    rate = exercises.cosine(4 * per_epoch, peak, warmup)
    ours = [run for run in runs if run.experiment == exercises.warmup_name(warmup, peak)]
    lost = [frames.window_means(run) for run in ours if run.outcome != "trained"]
    learned = [ends[: len(means)][means < 1.5].max() for means in lost if (means < 1.5).any()]
    rates = ", ".join(f"{rate(round(n)):.2f} ({n:.0f})" for n in learned) or "-"
    rows.append((f"{peak:g}", f"{warmup:g}", str(len(lost)), str(len(learned)), rates))
header = ("peak", "warmup", "collapsed", "after having learned", "the last rates before (update)")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Có hai kiểu sụp đổ. Không khởi động hoặc khởi động ngắn thì mạng sụp đổ *sớm*, chưa học được gì,
# chỉ trừ một mạng: bước quá dài đối với tham số ngẫu nhiên. Sau đoạn khởi động dài nhất thì mạng
# sụp đổ *muộn*: mạng nào cũng đã học được, rồi sụp đổ trong vòng năm mươi bước sau bước ghi ở cột
# cuối. Đỉnh ở bước 376, và phần lớn sụp đổ trên đường đi lên đỉnh. Vài mạng sụp đổ với mất mát hàng
# triệu hoặc hơn nữa, phần lớn thì không vọt lên như vậy. Khởi động dài che chở khỏi tai nạn thứ
# nhất chứ không che chở khỏi tai nạn thứ hai. Nó đưa mạng qua khỏi lúc ban đầu; còn tốc độ học cao
# nhất mà mạng chịu được thì nó không nâng lên được (hoặc nâng lên chưa đủ).
#
# Vậy bao lâu? Đủ lâu để mạng học được chút gì trước khi gặp tốc độ học cao. Ở hai đỉnh thấp hơn,
# tính chung 40 mạng, khởi động 0.02 thì 26 mạng sụp đổ sớm, 0.1 thì 13, 0.4 thì không mạng nào.
# Nhưng mạng đã qua được lúc đầu vẫn có thể sụp đổ ở gần đỉnh: sau khởi động 0.4 có 9 mạng như thế.
# Còn nếu khởi động lâu hơn mà không đỡ, hãy hạ đỉnh xuống. (Gotmare và cộng sự, 2018, nhìn vào bên
# trong: ở những mạng sâu họ khảo sát, khởi động giữ cho các tầng gần đầu ra không thay đổi nhiều. Ở
# đây ta chỉ hỏi mạng nào sụp đổ.)
#
# Nhìn thêm một lần nữa vào bờ vực. Hai thí nghiệm dưới đây dùng cùng những hạt giống, và lúc đầu
# tốc độ học của chúng gần như không phân biệt được:

# %%
for name in ("fixed-0.5", "warmup-0-peak-0.5"):
    seeds = sorted(r.seed for r in runs if r.experiment == name and r.outcome != "trained")
    words.print(name, "lost the seeds", *seeds)
rate = exercises.cosine(4 * per_epoch, 0.5)
words.print("the latter's rate at updates 1 and 50:", *(f"{rate(n):.6f}" for n in (1, 50)))

# %% [markdown]
# 3 hạt giống sụp đổ cả hai lần, nhưng 5 hạt giống chỉ sụp đổ ở thí nghiệm thứ nhất, và 3 chỉ ở thí
# nghiệm thứ hai. Vậy sụp đổ không phải là tính chất của hạt giống. Ở bờ vực, khác biệt nhỏ nhất
# cũng đủ quyết định, huấn luyện phóng đại nó lên, và "cùng hạt giống" chỉ bảo đảm cùng điểm bắt đầu
# chứ không bảo đảm cùng kết cục. Không ai tìm được ở đó một hạt giống may mắn để mang sang bộ định
# thời khác.

# %% [markdown] tags=["question"]
# **Câu hỏi 4.** Hãy phác ra một bộ định thời tự tìm lấy đỉnh: tăng cho đến khi mất mát xấu đi rồi
# mới giảm. Nó cần được nghe báo những gì, và vì sao mất mát *trung bình từ đầu epoch* lại là nguồn
# tin kém?

# %% [markdown] tags=["answer"]
# **Trả lời câu 4.** Nó cần được báo mất mát của vài minibatch gần nhất, và bộ điểm của các ảnh có
# còn khác nhau không, vì mạng sụp đổ có mất mát như mạng mới khởi tạo. Trung bình từ đầu epoch chứa
# cả những mất mát lớn trước đó; gần cuối epoch, một lần sụp đổ hầu như không làm nó thay đổi.

# %% [markdown]
# ## 5. Tối ưu hóa và lấy mẫu
#
# Bài tập 5 hỏi hai việc ấy liên hệ với nhau ra sao. Câu trả lời không cần mạng nào, mà cần một bài
# toán đã biết trước hậu nghiệm, và nằm trong [một notebook riêng](sampling_vi.ipynb).

# %% [markdown]
# ## 6. Giảm tốc độ học khi việc học chững lại
#
# Phần tóm tắt của sách gọi đây là cách rất hiệu quả: giảm tốc độ học từng nấc mỗi khi không còn
# tiến bộ đáng kể, tức khi gặp vùng nằm ngang (*plateau*). Mọi bộ định thời từ đầu đến giờ đều đã
# định sẵn trước bước đầu tiên. Bộ này thì phải *lắng nghe*, nên nó là bộ định thời duy nhất ở đây
# có trạng thái. `lrs.PlateauScheduler` được báo mất mát và được hỏi tốc độ học. Báo thì trạng thái
# đổi, hỏi thì không bao giờ. Dưới đây là những mất mát bịa ra để minh họa, mỗi epoch một số; "ít
# tiến bộ" nghĩa là không thấp hơn mức tốt nhất trước đó được một phần mười; `patience` là bao nhiêu
# epoch ít tiến bộ liên tiếp thì giảm, ở đây một epoch là đủ. Dòng cuối là tốc độ học ở bước đầu
# tiên và các bước mà ngay sau đó tốc độ học đã giảm.

# %%
plateau = lrs.PlateauScheduler(base_lr=0.3, factor=1 / 3, patience=1, threshold=0.1)
for epoch, made_up in enumerate([1.0, 0.6, 0.5, 0.48, 0.4, 0.39, 0.38], start=1):
    used = plateau(epoch * per_epoch)
    plateau.tell(made_up, epoch * per_epoch)
    then = plateau(epoch * per_epoch + 1)
    words.print(f"epoch {epoch}, rate {used:.4f}, loss {made_up}: then {then:.4f}")
plateau(1), plateau.drops

# %% [markdown]
# Tốc độ học của quá khứ vẫn y nguyên: hỏi về bước 1 thì câu trả lời vẫn là 0.3. Nhờ vậy lúc nào
# cũng vẽ được đường cong mà không làm hỏng gì. Trạng thái phải còn nguyên khi việc chạy bị ngắt,
# nên nó được lưu bằng pickle (nhờ đó cũng nằm trong những gì `trainer.save_states` và các điểm lưu
# (*checkpoint*) của gói này ghi lại); nó cũng phải chạy được phía sau đoạn khởi động, vốn sẽ chuyển
# lời báo cho nó. Ô dưới đây chép một bộ như thế qua pickle: bản sao bằng bản gốc (*True*) nhưng
# không phải là một (*False*), và báo cho bản sao thì bản gốc không đổi.

# %%
warm = lrs.WarmupScheduler(plateau, warmup_steps=per_epoch)
copy = pickle.loads(pickle.dumps(warm))
print(copy == warm, copy is warm, [round(copy(n), 4) for n in (1, per_epoch, 9 * per_epoch)])
copy.tell(0.37, 9 * per_epoch)
print(copy == warm, copy.scheduler.drops)

# %% [markdown]
# Giờ thì chạy thật: hai epoch đầu của một trong những lần chạy đã lưu, khởi động suốt epoch đầu lên
# 0.5, từ đó giảm mỗi khi chững lại. Sau mỗi epoch, `lrs.train` báo cho bộ định thời biết mất mát
# huấn luyện.

# %%
(stored,) = [run for run in runs if run.experiment == "plateau-warmup" and run.seed == 0]
schedule = exercises.plateau(0.5, warmup_steps=per_epoch)
train_iter, test_iter = lrs.load_fashion_mnist(batch_size=256, seed=0)
net, ctx = lrs.nets.NETS[stored.settings["net"]](), d2l.try_gpu()
loss = gluon.loss.SoftmaxCrossEntropyLoss()
net.initialize(ctx=ctx)
mx.random.seed(0)
trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": schedule})
history = lrs.train(net, train_iter, test_iter, 2, loss, trainer, ctx)

# %% [markdown]
# Đặt cạnh phần đầu của lần chạy đã lưu. Cùng loại bộ xử lý và một luồng tính thì các số bằng nhau;
# ở máy khác, tổng làm tròn khác đi và bạn thấy một kết quả khác cùng kiểu.

# %%
rows = [
    [f"{x:.4f}" for x in (new.train_loss, old.train_loss, new.test_acc, old.test_acc)]
    for new, old in zip(history.epochs, stored.epochs)
]
header = ("train loss now", "stored", "test acc now", "stored")
words.table(pd.DataFrame(rows, columns=header))

# %% [markdown]
# Và đây là mọi lần chạy, LeNet 8 epoch với hai mươi hạt giống: từ 0.3 không khởi động, từ 0.5 có
# khởi động, và để làm mốc là tốc độ học cố định 0.3 của phần 1.

# %%
words.figure(figures.FIGURES["plateau.svg"](runs))

# %%
display(answers(exercises.PLATEAU))
differences(exercises.PLATEAU)

# %% [markdown]
# Tốc độ học đã giảm mấy lần, vào lúc nào? Với ba hạt giống đầu, ô sau in tốc độ học lúc kết thúc
# từng epoch, và bên dưới là mất mát huấn luyện của epoch ấy:

# %%
for name in ("plateau", "plateau-warmup"):
    of_name = [run for run in runs if run.experiment == name and run.seed < 3]
    for run in sorted(of_name, key=lambda run: run.seed):
        rates = " ".join(f"{epoch.lr_last:.3f}" for epoch in run.epochs)
        losses = " ".join(f"{epoch.train_loss:.3f}" for epoch in run.epochs)
        words.print(f"{name}, seed {run.seed}, {run.outcome}\n  rate {rates}\n  loss {losses}")

# %% [markdown]
# - **Nó giảm tốc độ học đúng lúc việc giảm có ích.** Hãy dõi theo mất mát qua lần cắt đầu tiên của
#   bất kỳ lần chạy nào không sụp đổ: epoch trước đó, mất mát giảm chưa tới một phần mười, hoặc còn
#   tăng; epoch sau đó, với tốc độ học còn một phần ba, nó lại giảm hơn một phần mười. Tiến bộ ngừng
#   lại không phải vì đã hết điều để học, mà vì bước đã thành quá dài.
# - **So với tốc độ học cố định**, 19 trong 20 hạt giống kết thúc với độ chính xác kiểm tra cao hơn,
#   và khoảng tin cậy không chứa 0.
# - **Có khởi động lên 0.5** thì trong 20 mạng có 5 mạng sụp đổ, đều vào quãng cuối đoạn khởi động
#   và sau khi đã học được chút ít; giữ nguyên ở 0.5, trong phần 1 có 8 mạng. Những mạng không sụp
#   đổ kết thúc với mất mát huấn luyện trung bình thấp nhất trong mọi thí nghiệm cho LeNet học 8
#   epoch. Độ chính xác kiểm tra của chúng có cao hơn khi xuất phát từ 0.3 hay không thì chưa ngã
#   ngũ. (Theo năm hạt giống đầu thì đã ngã ngũ: cả năm mạng đều không sụp đổ và kết thúc cao hơn.)
#   Số mạng sụp đổ có ít hơn, nhưng chừng ấy lần chạy chưa cho thấy đó là nhờ khởi động. Với những
#   mạng không sụp đổ, việc giảm khi chững lại hạ tốc độ học cao xuống đúng lúc.
#
# Nó có hơn các bộ định thời ở phần 2 không? Ở đó, số mũ 0.5 chẳng nghe ngóng gì mà cũng đi được
# chừng ấy; hai bên chưa được so theo cặp. Và nhớ những gì *không* tự động ở bộ định thời này: tiến
# bộ bao nhiêu là ít, cắt sâu bao nhiêu, phải có người chọn. Ở những tốc độ học này, từ khoảng epoch
# thứ tư mất mát của LeNet giảm mỗi epoch chưa tới một phần mười; với ngưỡng này, các lần cắt rơi
# vào những lúc gần như nhau ở mọi lần chạy không sụp đổ (mất mát của mạng đã sụp đổ thì đứng yên,
# nên epoch nào tốc độ học cũng bị cắt: những nét mảnh ở khung trái), và một danh sách mốc định sẵn
# có lẽ cũng làm được như thế.

# %% [markdown] tags=["question"]
# **Câu hỏi 5.** `PlateauScheduler` nghe mất mát *huấn luyện*. Nếu nó được báo tỷ lệ sai trên tập
# kiểm định thì khác gì? Còn nếu `threshold` bằng 0?

# %% [markdown] tags=["answer"]
# **Trả lời câu 5.** Tỷ lệ sai trên tập kiểm định nhiễu hơn và ngừng giảm sớm hơn. Tốc độ học sẽ
# giảm sớm hơn, đôi khi do may rủi; bù lại, nó nhận ra quá khớp. Với ngưỡng 0, mất mát huấn luyện
# phải tăng thì tốc độ học mới giảm, mà ở các lần chạy này điều ấy đến quá muộn hoặc không đến.

# %% [markdown]
# ## Những gì còn bỏ ngỏ
#
# - **Khác biệt nhỏ.** Hai mươi hạt giống, hay ba, chỉ cho thấy những điều thô: tốc độ học này quá
#   cao, trung bình này xa trung bình kia. Những chênh lệch chưa tới một phần trăm mà người làm thực
#   tế hay tranh cãi thì đòi nhiều hơn hẳn.
# - **Chạy lâu hơn.** Mọi lần chạy ở đây đều ngắn, và bộ định thời nào cũng được co lại cho vừa lần
#   chạy ngắn của nó. Sau 30 epoch ai dẫn đầu thì chúng không nói.
# - **ImageNet**, và mọi dữ liệu khác ngoài Fashion-MNIST.
# - **Bờ vực, nhìn kỹ hơn.** Ở 0.3 ít mạng sụp đổ, ở 1.0 thì gần như tất cả. Giữa hai mức ấy tỷ lệ
#   tăng ra sao, và có tùy vào kích thước minibatch không, một máy tính chạy một buổi chiều là biết.
# - **Lấy mẫu cho một mạng.** Hậu nghiệm của ta có hai chiều và một đỉnh, chọn như thế để biết trước
#   đáp án. Hậu nghiệm của một mạng thì không có tính chất nào trong hai tính chất ấy, và ở đây
#   không có gì cho biết một chuỗi đi lại trong đó tốt đến đâu.

# %% [markdown] tags=["question"]
# **Câu hỏi 6.** Lấy khoảng tin cậy của các hiệu ở phần 2 và phần 6: với n cặp, khoảng ấy chừng ± 2
# s / √n, từ đó suy ra s, độ lệch chuẩn của các hiệu. Muốn khoảng tin cậy của một hiệu bằng 0.01 về
# độ chính xác kiểm tra không chứa 0 thì cần chừng bao nhiêu cặp hạt giống?

# %% [markdown] tags=["answer"]
# **Trả lời câu 6.** Gọi s là độ lệch chuẩn của các hiệu; khoảng tin cậy chừng ± 2 s / √n. Với s =
# 0.015 thì từ n = 9 trở đi, nó không quá ± 0.01. Nhưng như vậy chỉ phát hiện được hiệu ấy trong
# khoảng một nửa số lần; muốn gần như lần nào cũng phát hiện được thì cần số cặp nhiều gấp khoảng ba
# lần.

# %% [markdown]
# ## Nguồn
#
# - A. Zhang, Z. Lipton, M. Li, A. Smola. *Đắm mình vào Học Sâu*, bản MXNet, mục 11.15: [tiếng
#   Việt](https://d2l.aivivn.com/chapter_optimization/lr-scheduler_vn.html), [tiếng
#   Anh](https://d2l.ai/chapter_optimization/lr-scheduler.html).
# - I. Loshchilov, F. Hutter (2016). *SGDR: Stochastic gradient descent with warm restarts*.
#   [arXiv:1608.03983](https://arxiv.org/abs/1608.03983)
# - A. Gotmare, N. S. Keskar, C. Xiong, R. Socher (2018). *A closer look at deep learning
#   heuristics: learning rate restarts, warmup and distillation*.
#   [arXiv:1810.13243](https://arxiv.org/abs/1810.13243)
# - K. He, X. Zhang, S. Ren, J. Sun (2016). *Deep residual learning for image recognition*.
#   [arXiv:1512.03385](https://arxiv.org/abs/1512.03385)
